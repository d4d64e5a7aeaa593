"""A task with one version, and the loading of it for a scorer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from predictor.artifacts.confinement import Confinement, confine
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import METADATA, VersionFiles
from predictor.artifacts.policy import Policy
from predictor.artifacts.report_store import Report
from predictor.artifacts.untrusted import read_json


@dataclass(frozen=True)
class VersionTask:
    """A task with one version: its files, its policy and its confinement."""

    order: dict[str, Any]
    content: dict[str, bytes]
    policy: Policy

    def confine(self, seconds: int = 0) -> list[str]:
        """Confine this process. Raises ConfinementError."""
        return confine(Confinement(self.policy.limits.memory, seconds, self.policy.confined))

    def report(self) -> Report:
        """The examination's findings that scoring needs."""
        return Report(**self.order["report"])

    def version(self) -> VersionFiles:
        """Raises ArtifactError when the files are not those of the order."""
        metadata = read_json(METADATA, self.content.get(METADATA, b"{}"))
        version = VersionFiles(Path(self.order["folder"]), self.content, metadata)
        if version.fingerprint != self.order["fingerprint"]:
            raise ArtifactError("its files changed while it was loaded")
        return version


def load_for_scoring(task: VersionTask) -> tuple[Any, dict[str, Any]]:
    """The scorer, and its description. Raises ArtifactError and ConfinementError."""
    # the template has already imported them
    from predictor.artifacts.estimators import load_scorer  # noqa: PLC0415
    from predictor.artifacts.unpickling import read_contract  # noqa: PLC0415

    means = task.confine()
    version = task.version()
    report = task.report()
    contract = read_contract(version, task.policy).refined(report.kinds, report.flags)
    scorer = load_scorer(version, contract, task.policy, report.shortcut, report.rows)
    return scorer, {
        "kind": scorer.kind,
        "shortcut": scorer.has_shortcut,
        "floats": scorer.takes_floats,
        "width": len(contract.features),
        "means": means,
    }
