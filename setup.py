"""Which packages the wheel holds; everything else about it is in pyproject.toml.

``data/`` lies beside the code in a clone, and inside ``training`` in the wheel: setuptools cannot
find packages and be given one that lies elsewhere, unless a program does it.
"""

from tempfile import TemporaryDirectory

from setuptools import find_packages, setup

OURS = ["batclient*", "batcomputer*", "predictor*", "training*"]

# setuptools packs whatever an earlier build left in build/, modules that are gone included
with TemporaryDirectory() as folder:
    setup(
        packages=[*find_packages(include=OURS), "training.data"],
        package_dir={"training.data": "data"},
        options={"build": {"build_base": folder}},
    )
