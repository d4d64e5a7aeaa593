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
from predictor.log.outcome_table import Said, keep, on_record, put
from predictor.log.reports import (
    EVERYTHING,
    NotTakenError,
    OutcomeReport,
    Reach,
    ReportResult,
    Taken,
    Word,
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
    said = OutcomeReport(outcome, id=str(identity))
    with _in_turn():
        answered = LoggedAnswers(reach)
        answered.look_up([said])
        words = _Words()
        try:
            answer = answered.about(said)
            flag = words.add(answer, _word(answered, answer, said, reach.by))
        except NotAFlagError as error:
            raise InvalidInput([FieldError("outcome", str(error), error.near)]) from None
        except NotTakenError:
            raise UnknownPrediction(identity) from None
        words.write()
    return flag, answer


def take(reports: Iterator[OutcomeReport], reach: Reach = EVERYTHING) -> Iterator[Taken]:
    """Record reports, with a few statements for many, and yield the result of each.

    A refused report does not stop the others. Raises the database's error if it is unavailable:
    the results yielded so far are recorded, and it is safe to send all reports again.
    """
    answered = LoggedAnswers(reach)
    while batch := list(islice(reports, _BATCH)):
        with _in_turn():  # one flush to disk for the whole batch
            answered.look_up(batch)
            words = _Words()
            taken = [_taken(answered, report, words, reach.by) for report in batch]
            words.write()
        yield from taken
        time.sleep(0)  # under gevent this lets other requests go on


@contextmanager
def _in_turn() -> Iterator[None]:
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(_TURN)
        yield


def _taken(answered: LoggedAnswers, report: OutcomeReport, words: "_Words", by: str) -> Taken:
    try:
        answer = answered.about(report)
    except NotTakenError as error:
        return Taken(error.result, None, str(error))
    try:
        words.add(answer, _word(answered, answer, report, by))
    except NotTakenError as error:
        return Taken(error.result, answer.id, str(error))
    return Taken(ReportResult.ACCEPTED, answer.id)


def _word(answered: LoggedAnswers, answer: LoggedAnswer, report: OutcomeReport, by: str) -> Word:
    """The outcome that ``report`` gives for ``answer``. Raises NotTakenError."""
    flag = answered.flag(answer, report)
    return Word(flag, happened_at(report.time), checked_note(report.note), by)


class _Words:
    """Reported outcomes, in order, until they are written."""

    def __init__(self) -> None:
        self._said: dict[LoggedAnswer, list[Word]] = {}

    def add(self, answer: LoggedAnswer, word: Word) -> str:
        """Keep an outcome; returns its flag."""
        self._said.setdefault(answer, []).append(word)
        return word.flag

    def write(self) -> None:
        """Write the last outcomes; the ones they replace are kept as earlier outcomes."""
        now = datetime.now(UTC)
        there = on_record([answer.id for answer in self._said])
        earlier: list[tuple[LoggedAnswer, Said]] = []
        last: list[tuple[LoggedAnswer, Said]] = []
        for answer, words in self._said.items():
            before = there.get(answer.id)
            said = [*([before] if before else []), *(Said(word, now) for word in words)]
            *replaced, current = _changes(said)
            earlier += [(answer, one) for one in replaced]
            if current is not before:
                last.append((answer, current))
        keep(earlier)
        put(last)


def _changes(said: Sequence[Said]) -> list[Said]:
    """Without the outcomes that only repeat the one before."""
    return [
        one
        for place, one in enumerate(said)
        if place == 0 or not one.word.says_the_same(said[place - 1].word)
    ]
