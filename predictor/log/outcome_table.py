"""The tables of outcomes: one statement reads or writes many predictions' outcomes.

In SQL, because the ORM takes ten times as long as the database.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from predictor.log.answered import LoggedAnswer
from predictor.log.reports import ReportedOutcome
from predictor.models import EarlierOutcome, Outcome

_Values = tuple[str | None, ...]
_OUTCOME = ("prediction_id", "model", "version", "flag", "time", "happened", "note", "by")
_EARLIER = ("prediction_id", "flag", "time", "happened", "note", "by")


class RecordedOutcome(NamedTuple):
    """A reported outcome, and when it was reported."""

    outcome: ReportedOutcome
    time: datetime


def current_outcomes(identities: Collection[UUID]) -> dict[UUID, RecordedOutcome]:
    """The current outcome of each prediction."""
    rows = Outcome.objects.filter(prediction__in=identities).values_list(
        "prediction_id", "time", "flag", "happened", "note", "by"
    )
    return {
        identity: RecordedOutcome(ReportedOutcome(flag, happened, note or "", by or ""), time)
        for identity, time, flag, happened, note, by in rows
    }


def replace_outcomes(outcomes: Iterable[tuple[LoggedAnswer, RecordedOutcome]]) -> None:
    """Make these the current outcomes."""
    rows = [
        (answer.id.hex, answer.model, answer.version, *_values(one)) for answer, one in outcomes
    ]
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in _OUTCOME[1:])
    _insert(
        Outcome._meta.db_table,  # noqa: SLF001 - Django documents _meta
        _OUTCOME,
        rows,
        f'ON CONFLICT ("prediction_id") DO UPDATE SET {changed}',
    )


def keep_replaced(outcomes: Iterable[tuple[LoggedAnswer, RecordedOutcome]]) -> None:
    """Keep outcomes that were replaced."""
    rows = [(answer.id.hex, *_values(one)) for answer, one in outcomes]
    _insert(EarlierOutcome._meta.db_table, _EARLIER, rows)  # noqa: SLF001 - as above


def _values(recorded: RecordedOutcome) -> _Values:
    outcome = recorded.outcome
    return (
        outcome.flag, _text(recorded.time), _text(outcome.happened), outcome.note, outcome.by
    )  # fmt: skip


@lru_cache(maxsize=256)  # reports of one batch share it
def _text(moment: datetime | None) -> str | None:
    """The time as Django writes it to SQLite; PostgreSQL reads it in the session's UTC."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _insert(table: str, names: Sequence[str], rows: Sequence[_Values], conflict: str = "") -> None:
    if not rows:
        return
    columns = ", ".join(f'"{name}"' for name in names)
    places = ", ".join([f"({', '.join(['%s'] * len(names))})"] * len(rows))
    statement = f'INSERT INTO "{table}" ({columns}) VALUES {places} {conflict}'  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row])
