"""The version of scikit-learn that a pickle was made with, checked before anything else in it."""

import re
from collections.abc import Sequence
from typing import Any

import sklearn

from .errors import ArtifactError
from .files import MODEL
from .pickles.blueprint import Made, parts
from .pickles.inspection import Inspection
from .policy import Policy
from .untrusted import sentence

_VERSION = re.compile(rb"_sklearn_version[^A-Za-z0-9]{1,6}(\d+\.\d+(?:\.\w+)*)")


def sklearn_versions(data: bytes, inspection: Inspection) -> list[str]:
    """The scikit-learn versions that the parts of the estimator in ``data`` name."""
    # a pickle whose drawing failed still has them in its bytes
    return _named(inspection.root) or sorted({m.decode() for m in _VERSION.findall(data)})


def judge_versions(made_with: Sequence[str], policy: Policy) -> list[str]:
    """Warnings about versions. Raises ArtifactError for another minor version than runs here.

    The compiled parts of another minor version have another memory layout.
    """
    running = sklearn.__version__  # a confined process cannot read the package's own file
    others = [version for version in made_with if version != running]
    if not others:
        return []
    if any(_minor(version) != _minor(running) for version in others) and not policy.other_sklearn:
        raise ArtifactError(
            f"{MODEL} was made with scikit-learn {others[0]}, and this server runs {running}: "
            f"train it again after pip install scikit-learn=={running}, or allow other versions "
            "with MODEL_ALLOW_OTHER_SKLEARN"
        )
    return [f"made with scikit-learn {others[0]}, running {running}: scores may differ"]


def _named(root: Any) -> list[str]:
    """The scikit-learn versions that the drawn objects name."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, Made) and isinstance(
            version := thing.attribute("_sklearn_version"), str
        ):
            found.add(sentence(version, 40))
        waiting.extend(parts(thing))
    return sorted(found)


def _minor(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])
