"""A trained model in the contract's form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from predictor.artifacts.files import write_version
from predictor.evidence.cases import Cases, write_cases
from predictor.evidence.verdict import Verdict

_LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy")


def libraries() -> dict[str, str]:
    """The versions of the libraries on which scores depend."""
    return {name: installed_version(name) for name in _LIBRARIES}


@dataclass(frozen=True)
class Bundle:
    """The parts from which ``write_version`` makes the files of one version."""

    name: str
    estimator: Any
    lookup: Mapping[str, Any]
    flags: list[str]
    metadata: Mapping[str, Any]
    support: Mapping[str, Any] | None = None
    cases: Cases | None = None
    published: Sequence[Sequence[float]] | None = None  # the estimator's own answers to ``cases``
    verdict: Verdict | None = None
    warnings: Sequence[str] = ()  # about the figures, for the person who trains
    fit_seconds: float = 0.0  # of the published estimator only, without tests

    def write(self, models: Path, version: str) -> Path:
        """Write ``models/<name>/<version>``; raises ArtifactError when it exists already."""
        return write_version(
            models / self.name / version,
            self.estimator,
            self.lookup,
            self.flags,
            {**self.metadata, "libraries": libraries()},
            self.support,
            None if self.cases is None else write_cases(self.cases),
        )
