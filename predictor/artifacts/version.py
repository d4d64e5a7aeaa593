"""One version of one model, checked and ready to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from .contract import Contract
from .errors import ArtifactError
from .files import VersionFiles, read_version
from .inputs import Row, RowEncoder
from .policy import Policy
from .quarantine import examine_apart, tabulate_apart
from .report_store import Report, ReportStore
from .scores import ScoreKind, Scores, Scoring
from .signatures import Manifest, check_signature
from .support import Support, SupportTable, read_support
from .table import Table, Tables
from .trial_rows import grid_of
from .unpickling import read_contract


@dataclass(frozen=True)
class ModelVersion:
    """Everything needed to answer with one version of one model."""

    name: str
    version: str
    sha256: str
    contract: Contract
    encoder: RowEncoder
    scorer: Scoring
    warnings: tuple[str, ...]
    report: Report = field(default_factory=Report)
    support: SupportTable | None = None

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self.contract.metadata

    @property
    def title(self) -> str:
        return str(self.metadata.get("title") or self.name)

    def score(self, rows: Sequence[Row]) -> Scores:
        """Scores of ``rows``; see Scorer.score."""
        return self.scorer.score(rows)

    def support_of(self, row: Row) -> Support | None:
        """How many similar cases the answer to ``row`` rests on; None if unknown."""
        return None if self.support is None else self.support.of(row)


def load_version(
    folder: Path, policy: Policy | None = None, *, chosen: bool = False
) -> ModelVersion:
    """Load ``…/<model>/<version>``; the first time it is examined in quarantine.

    ``chosen``: a person named this version (a pin, an activation, a rollback). It may then be older
    than the newest that was ever accepted, unlike an automatic choice.
    Raises ArtifactError with one sentence when it cannot be used.
    """
    policy = policy or Policy()
    files = read_version(folder, policy.limits)
    prepare(files, policy)
    return load_prepared(files, policy, chosen=chosen)


def prepare(files: VersionFiles, policy: Policy) -> None:
    """Examine a version and compute its table, each once and in a separate process.

    Results that are kept are not computed again. Raises ArtifactError.
    """
    report = _report(files, policy, ReportStore(policy))
    if not report.accepted or policy.store is None:
        return
    if grid_of(_contract(files, policy, report), policy.cells) is None:
        return
    tables = Tables(policy.store, policy)
    if tables.find(files.fingerprint) is None:
        scores = tabulate_apart(files, policy, report)
        if scores is not None:
            tables.keep(files.fingerprint, scores)


def is_prepared(files: VersionFiles, policy: Policy) -> bool:
    """Whether ``prepare`` would have nothing to start a process for."""
    report = ReportStore(policy).find(files.fingerprint)
    if report is None or not report.accepted or policy.store is None:
        return report is not None
    if grid_of(_contract(files, policy, report), policy.cells) is None:
        return True
    return Tables(policy.store, policy).find(files.fingerprint) is not None


def has_report(folder: Path, policy: Policy) -> bool:
    """Whether the version was examined under this policy already."""
    try:
        fingerprint = read_version(folder, policy.limits).fingerprint
    except ArtifactError:
        return False
    return ReportStore(policy).find(fingerprint) is not None


def load_prepared(files: VersionFiles, policy: Policy, *, chosen: bool = False) -> ModelVersion:
    """``load_version`` for files that are already read and prepared."""
    store = ReportStore(policy)
    manifest = _check_manifest(files, policy)
    if manifest is not None and not chosen:
        _check_serial(manifest, store.serial(manifest.name))
    report = _report(files, policy, store)
    if not report.accepted:
        raise ArtifactError(report.reason)
    contract = _contract(files, policy, report)
    scorer = _table(files, contract, policy, report) or _scorer(files, contract, policy, report)
    if manifest is not None:
        store.keep_serial(manifest.name, manifest.serial)
    return ModelVersion(
        name=files.folder.parent.name,
        version=files.folder.name,
        sha256=files.fingerprint,
        contract=contract,
        encoder=RowEncoder(contract),
        scorer=scorer,
        warnings=tuple(report.warnings),
        report=replace(report, signature=_signed_by(manifest)),
        support=read_support(files, contract),
    )


def _contract(files: VersionFiles, policy: Policy, report: Report) -> Contract:
    """The version's contract with its examination's findings. Raises ArtifactError."""
    contract = read_contract(files, policy)
    try:
        return contract.refined(report.kinds, report.flags, report.typical)
    except (AttributeError, KeyError, TypeError) as error:
        raise ArtifactError("what its examination found out is about no such features") from error


def _table(files: VersionFiles, contract: Contract, policy: Policy, report: Report) -> Table | None:
    """The version's table, where there is one."""
    grid = grid_of(contract, policy.cells)
    if grid is None or policy.store is None:
        return None
    scores = Tables(policy.store, policy).find(files.fingerprint)
    if scores is None or len(scores) != grid.size * len(contract.flags):
        return None
    return Table(grid, cast("ScoreKind", report.scores), scores)


def _scorer(files: VersionFiles, contract: Contract, policy: Policy, report: Report) -> Scoring:
    if policy.room is not None:
        return policy.room.scorer(files, contract, policy, report)
    # numpy and scikit-learn take a second and 100 MB, and a table needs neither
    from .estimators import load_scorer  # noqa: PLC0415

    return load_scorer(files, contract, policy, report.shortcut, report.rows)


def verify(folder: Path, policy: Policy | None = None) -> Report:
    """Examine a version again, even if it has a verdict, and keep the new one.

    Never raises ArtifactError: a refusal is the report's ``reason``. ``load_version`` then finds
    the verdict, and the table of an accepted version, without waiting.
    """
    policy = policy or Policy()
    try:
        files = read_version(folder, policy.limits)
    except ArtifactError as error:
        return Report(reason=str(error))
    report = Report(sha256=files.fingerprint)
    try:
        report = _examined(files, policy, ReportStore(policy))
        manifest = _check_manifest(files, policy)
        prepare(files, policy)
    except ArtifactError as error:
        return replace(report, reason=report.reason or str(error))
    return replace(report, signature=_signed_by(manifest))


def _report(files: VersionFiles, policy: Policy, store: ReportStore) -> Report:
    return store.find(files.fingerprint) or _examined(files, policy, store)


def _examined(files: VersionFiles, policy: Policy, store: ReportStore) -> Report:
    report = examine_apart(files, policy)
    store.keep(report)
    return report


def _check_manifest(files: VersionFiles, policy: Policy) -> Manifest | None:
    return check_signature(files, policy.public_key) if policy.public_key else None


def _check_serial(manifest: Manifest, highest: int) -> None:
    if manifest.serial < highest:
        raise ArtifactError(
            f"{manifest.name} {manifest.version} was signed before a version that has been served "
            f"here already (serial {manifest.serial}, not {highest} or more): activate it by name "
            "if you mean to go back"
        )


def _signed_by(manifest: Manifest | None) -> str:
    return "" if manifest is None else f"valid, serial {manifest.serial}"
