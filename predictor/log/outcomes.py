"""Outcomes: what really happened, reported later for one prediction or for thousands at once.

The last report counts (Outcome); earlier ones are kept (EarlierOutcome). The API, the console,
admin and the command line all report through this module.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

from django.db import connection, transaction

from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.log.answered import LoggedAnswer, LoggedAnswers, NotAFlagError
from predictor.log.errors import UnknownPrediction
from predictor.log.outcome_table import (
    RecordedOutcome,
    current_outcomes,
    keep_replaced,
    replace_outcomes,
)
from predictor.log.reports import (
    EVERYTHING,
    OutcomeReport,
    Reach,
    Receipt,
    RefusedReportError,
    ReportedOutcome,
    ReportResult,
    checked_note,
    happened_at,
)

_BATCH = 500  # reports in one transaction: short, so that predictions never wait long
# One process at a time writes outcomes, so that each report sees the one before it: SQLite has one
# writer anyway, PostgreSQL gets an advisory lock. A slow database counts as unavailable (503).
_TURN = (
    "SET LOCAL lock_timeout = 5000; SET LOCAL statement_timeout = 10000; "
    "SELECT pg_advisory_xact_lock(8710471)"
)


def record_outcome(
    identity: UUID, outcome: str, reach: Reach = EVERYTHING
) -> tuple[str, LoggedAnswer]:
    """Record the outcome of one prediction; returns the flag and the prediction.

    Raises UnknownPrediction, or InvalidInput when the prediction has no such flag.
    """
    report = OutcomeReport(outcome, id=str(identity))
    with _in_turn():
        answered = LoggedAnswers(reach)
        answered.look_up([report])
        outcomes = _OutcomeBatch()
        try:
            answer = answered.about(report)
            flag = outcomes.add(answer, _outcome_of(answered, answer, report, reach.by))
        except NotAFlagError as error:
            raise InvalidInput([FieldError("outcome", str(error), error.near)]) from None
        except RefusedReportError:
            raise UnknownPrediction(identity) from None
        outcomes.write()
    return flag, answer


def record_outcomes(
    reports: Iterator[OutcomeReport], reach: Reach = EVERYTHING
) -> Iterator[Receipt]:
    """Record reports, with a few statements for many, and yield the result of each.

    A refused report does not stop the others. Raises the database's error if it is unavailable:
    the results yielded so far are recorded, and it is safe to send all reports again.
    """
    answered = LoggedAnswers(reach)
    while batch := list(islice(reports, _BATCH)):
        with _in_turn():  # one flush to disk for the whole batch
            answered.look_up(batch)
            outcomes = _OutcomeBatch()
            receipts = [_receipt(answered, report, outcomes, reach.by) for report in batch]
            outcomes.write()
        yield from receipts
        time.sleep(0)  # under gevent this lets other requests go on


@contextmanager
def _in_turn() -> Iterator[None]:
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(_TURN)
        yield


def _receipt(
    answered: LoggedAnswers, report: OutcomeReport, outcomes: "_OutcomeBatch", by: str
) -> Receipt:
    try:
        answer = answered.about(report)
    except RefusedReportError as error:
        return Receipt(error.result, None, str(error))
    try:
        outcomes.add(answer, _outcome_of(answered, answer, report, by))
    except RefusedReportError as error:
        return Receipt(error.result, answer.id, str(error))
    return Receipt(ReportResult.ACCEPTED, answer.id)


def _outcome_of(
    answered: LoggedAnswers, answer: LoggedAnswer, report: OutcomeReport, by: str
) -> ReportedOutcome:
    """The outcome that ``report`` gives for ``answer``. Raises RefusedReportError."""
    flag = answered.flag(answer, report)
    return ReportedOutcome(flag, happened_at(report.time), checked_note(report.note), by)


class _OutcomeBatch:
    """Reported outcomes, in order, until they are written."""

    def __init__(self) -> None:
        self._reported: dict[LoggedAnswer, list[ReportedOutcome]] = {}

    def add(self, answer: LoggedAnswer, outcome: ReportedOutcome) -> str:
        """Keep an outcome; returns its flag."""
        self._reported.setdefault(answer, []).append(outcome)
        return outcome.flag

    def write(self) -> None:
        """Write the last outcomes; the ones they replace are kept as earlier outcomes."""
        now = datetime.now(UTC)
        current = current_outcomes([answer.id for answer in self._reported])
        earlier: list[tuple[LoggedAnswer, RecordedOutcome]] = []
        last: list[tuple[LoggedAnswer, RecordedOutcome]] = []
        for answer, outcomes in self._reported.items():
            before = current.get(answer.id)
            recorded = [
                *([before] if before else []),
                *(RecordedOutcome(one, now) for one in outcomes),
            ]
            *replaced, newest = _without_repeats(recorded)
            earlier += [(answer, one) for one in replaced]
            if newest is not before:
                last.append((answer, newest))
        keep_replaced(earlier)
        replace_outcomes(last)


def _without_repeats(recorded: Sequence[RecordedOutcome]) -> list[RecordedOutcome]:
    """Without the outcomes that only repeat the one before."""
    return [
        one
        for place, one in enumerate(recorded)
        if place == 0 or not one.outcome.repeats(recorded[place - 1].outcome)
    ]
