"""The predictions that a batch of outcome reports refers to, looked up together."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import read_metadata
from predictor.artifacts.inputs import nearest
from predictor.artifacts.untrusted import shown
from predictor.log.history import kept_reference, referring
from predictor.log.reports import OutcomeReport, Reach, RefusedReportError, ReportResult
from predictor.models import Prediction

_FIELDS = ("id", "model", "version", "sha256", "reference", "caller", "top_flag")


class LoggedAnswer(NamedTuple):
    """The part of a prediction that a report needs."""

    id: UUID
    model: str
    version: str
    sha256: str
    reference: str
    caller: str
    top_flag: str


class LoggedAnswers:
    """Predictions by id and by reference, and the flags of their versions."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._flags: dict[tuple[str, str, str], dict[str, str]] = {}
        self._by_id: dict[UUID, LoggedAnswer] = {}
        self._by_reference: dict[str, list[LoggedAnswer]] = {}
        self._is_whole = True  # whether every prediction with these references was read

    def look_up(self, reports: Sequence[OutcomeReport]) -> None:
        """Read the predictions that ``reports`` refer to, in two queries."""
        ids = [identity for report in reports if (identity := _identity(report))]
        self._by_id = {row.id: row for row in self._read(Prediction.objects.filter(id__in=ids))}
        self._by_reference = {}
        forms = {form for report in reports if not report.id for form in _references(report)}
        if not forms or self._reach.by_id:
            return
        most = 4 * len(forms) + 1
        rows = self._read(Prediction.objects.filter(referring(*forms)), most)
        self._is_whole = len(rows) < most
        for row in rows:
            self._by_reference.setdefault(row.reference, []).append(row)

    def about(self, report: OutcomeReport) -> LoggedAnswer:
        """The prediction that a report refers to. Raises RefusedReportError."""
        if report.id:
            return self._of_id(report)
        if not (forms := _references(report)):
            raise RefusedReportError(ReportResult.MALFORMED, "it has neither an id nor a reference")
        said = shown(report.reference)
        if self._reach.by_id:
            detail = "without an API key an outcome is reported by the prediction's id"
            raise RefusedReportError(ReportResult.ID_NEEDED, detail)
        for form in forms:
            several = self._of_reference(form)
            if len(several) == 1:
                return several[0]
            if several:
                detail = f"the reference '{said}' stands for several predictions; give the id"
                raise RefusedReportError(ReportResult.AMBIGUOUS, detail)
        raise RefusedReportError(
            ReportResult.UNKNOWN, f"the reference '{said}' stands for no prediction"
        )

    def flag(self, answer: LoggedAnswer, report: OutcomeReport) -> str:
        """The flag that the report gives, as such or by its title. Raises NotAFlagError."""
        version = answer.model, answer.version, answer.sha256
        if version not in self._flags:
            self._flags[version] = _names_of_flags(answer)
        names = self._flags[version]
        for form in report.forms(report.outcome):
            if form in names:
                return names[form]
        near = nearest(report.outcome, list(names))
        ask = f'; did you mean "{near}"?' if near else ""
        detail = f"'{shown(report.outcome)}' is not a flag of this prediction{ask}"
        raise NotAFlagError(detail, near)

    def _of_id(self, report: OutcomeReport) -> LoggedAnswer:
        identity = _identity(report)
        if identity is None:
            raise RefusedReportError(ReportResult.MALFORMED, f"'{shown(report.id)}' is not an id")
        if identity not in self._by_id:
            detail = f"there is no prediction {identity} in the database (or not yet)"
            raise RefusedReportError(ReportResult.UNKNOWN, detail)
        return self._by_id[identity]

    def _of_reference(self, form: str) -> Sequence[LoggedAnswer]:
        """At most two predictions with the reference: two are ambiguous already."""
        if self._is_whole:
            return self._by_reference.get(form, [])
        return self._read(Prediction.objects.filter(referring(form)), 2)

    def _read(self, rows: QuerySet[Prediction], most: int | None = None) -> list[LoggedAnswer]:
        return [LoggedAnswer(*row) for row in reachable(rows, self._reach).order_by()
                .values_list(*_FIELDS)[:most]]  # fmt: skip


class NotAFlagError(RefusedReportError):
    """The prediction has no such flag; ``near`` is the flag that was probably meant."""

    def __init__(self, detail: str, near: str | None) -> None:
        super().__init__(ReportResult.NO_FLAG, detail)
        self.near = near


def reachable(rows: QuerySet[Prediction], reach: Reach) -> QuerySet[Prediction]:
    """The ``rows`` that the caller may see."""
    return rows.filter(caller=reach.by) if reach.own else rows


def _names_of_flags(answer: LoggedAnswer) -> dict[str, str]:
    """Flags by themselves and by title, except titles that two flags share or that are flags."""
    scores: dict[str, float] = Prediction.objects.values_list("scores", flat=True).get(id=answer.id)
    titles = _titles(answer)
    said = [titles[flag] for flag in scores if flag in titles]
    by_title = {titles[f]: f for f in scores if f in titles and said.count(titles[f]) == 1}
    return by_title | {flag: flag for flag in scores}


def _titles(answer: LoggedAnswer) -> Mapping[str, str]:
    """The titles of the version's flags, from its files if this server has them."""
    try:
        described = read_metadata(Path(settings.MODELS_DIR) / answer.model / answer.version)
    except (ArtifactError, OSError):
        return {}
    outputs = described.get("outputs")
    found = outputs.items() if isinstance(outputs, dict) else ()
    return {flag: texts["title"] for flag, texts in found
            if isinstance(texts, dict) and isinstance(texts.get("title"), str)}  # fmt: skip


def _identity(report: OutcomeReport) -> UUID | None:
    try:
        return UUID(report.id)
    except ValueError:
        return None


@lru_cache(maxsize=1024)  # each report needs it twice: to read predictions, and to find its own
def _references(report: OutcomeReport) -> tuple[str, ...]:
    """The forms under which the log may hold the reference; empty without a reference."""
    forms = (kept_reference(form) for form in report.forms(report.reference))
    return tuple([form for form in forms if form])
