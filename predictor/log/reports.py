"""Outcome reports: their content, their callers, and their results."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from predictor.artifacts.untrusted import is_clean
from predictor.spreadsheets.cells import unescape_formula

MAX_NOTE = 500  # characters
_AHEAD = timedelta(minutes=5)  # a caller's clock may be ahead of ours
MAX_REPORTS = 50_000  # in one JSON array; a CSV may have CSV_MAX_ROWS


class OutcomeReport(NamedTuple):
    """The outcome of one prediction, as the caller wrote it."""

    outcome: str  # a flag, or its title
    id: str = ""  # of the prediction, or
    reference: str = ""  # the caller's reference for it
    time: str = ""  # when it happened, in ISO 8601
    note: str = ""
    in_csv: bool = False  # in which text that looks like a formula has an apostrophe before it

    def forms(self, text: str) -> list[str]:
        """The possible meanings of ``text``, the likelier first.

        The text may be copied from this server's CSV, with that apostrophe, even into JSON; and
        people leave spaces around it.
        """
        bare = text.strip()
        if bare == text and "'" not in text:
            return [text]
        forms = [text, unescape_formula(text), bare, unescape_formula(bare)]
        return list(dict.fromkeys([forms[1], *forms] if self.in_csv else forms))


class Reach(NamedTuple):
    """The predictions that a caller may see or report on."""

    by: str = ""  # the caller's name in the log
    own: bool = False  # only this caller's predictions
    by_id: bool = False  # only predictions whose id the caller gives


EVERYTHING = Reach()


class ReportResult(StrEnum):
    """The result of a report."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    NO_FLAG = "not a flag"
    MALFORMED = "malformed"
    ID_NEEDED = "id needed"


class Receipt(NamedTuple):
    """A report's result, with its prediction's id or the reason for refusal."""

    result: ReportResult
    id: UUID | None = None
    detail: str = ""


class RefusedReportError(Exception):
    """The report is refused."""

    def __init__(self, result: ReportResult, detail: str) -> None:
        super().__init__(detail)
        self.result = result


class ReportedOutcome(NamedTuple):
    """The outcome that a report gives a prediction."""

    flag: str
    happened: datetime | None
    note: str
    by: str

    def repeats(self, other: "ReportedOutcome") -> bool:
        """Whether the outcome is the same, from any caller."""
        return self[:3] == other[:3]


def happened_at(text: str) -> datetime | None:
    """When it happened. Raises RefusedReportError, also for a time in the future."""
    moment = moment_of(text)
    if moment is not None and moment > datetime.now(UTC) + _AHEAD:
        detail = f"time is in the future, {moment.isoformat()} (in UTC where it names no zone)"
        raise RefusedReportError(ReportResult.MALFORMED, detail)
    return moment


def moment_of(text: str) -> datetime | None:
    """Parse ISO 8601; a time without a zone is UTC. Raises RefusedReportError."""
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        detail = "time must be in ISO 8601, such as 2026-11-27T10:00:00Z"
        raise RefusedReportError(ReportResult.MALFORMED, detail) from None


def checked_note(text: str) -> str:
    """The note as it is kept. Raises RefusedReportError if it cannot be kept."""
    if len(text) > MAX_NOTE:
        detail = f"a note has at most {MAX_NOTE} characters, not {len(text):,}"
    elif not is_clean(text, "\t\r\n"):
        detail = "a note holds no control characters"
    else:
        return text
    raise RefusedReportError(ReportResult.MALFORMED, detail)
