"""The packages of the wheel; pyproject.toml has everything else about it.

``data/`` is next to the code in a clone, and inside ``training`` in the wheel. Only a program can
both find packages and move one.
"""

from tempfile import TemporaryDirectory

from setuptools import find_packages, setup

OURS = ["batclient*", "batcomputer*", "predictor*", "training*"]

# setuptools packs everything that an earlier build left in build/, even deleted modules
with TemporaryDirectory() as folder:
    setup(
        packages=[*find_packages(include=OURS), "training.data"],
        package_dir={"training.data": "data"},
        options={"build": {"build_base": folder}},
    )
