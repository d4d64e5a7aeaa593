"""Whole days of the log as Parquet files, for a log that is too large for one database.

``PLACE/model=crime/day=2026-11-26/rows.parquet``: Spark, DuckDB and pandas read these partitions.
Next to each is ``_checked.json``, written after the file was read back and matched the database;
readers of Parquet skip names that begin with an underscore.

An archived row stays archived. The database may hold only part of a day, because its deletion was
interrupted or a row came late from a spool: the new file takes the other rows from the old one.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from django.db.models import QuerySet

from predictor.log import history
from predictor.log.archive_places import Place, sha256_of
from predictor.log.archived_rows import (
    ArchiveError,
    digest_of,
    holds,
    merged,
    read_parquet,
    rows_of,
    write_parquet,
)
from predictor.models import EarlierOutcome, Outcome, Prediction

logger = logging.getLogger(__name__)

FILE, CHECKED = "rows.parquet", "_checked.json"
_MEND = f"put it back, or remove the {CHECKED} beside it to archive what the database holds"


@dataclass(frozen=True)
class Checked:
    """What an archived day of a model holds."""

    rows: int
    outcomes: int
    digest: str  # SHA-256 over all rows, in order
    file_sha256: str
    held: list[int | str] | None = None  # _state of the database then; None: by an older release
    next_sha256: str = ""  # of a file that may have replaced this one already

    def is_of(self, state: list[int | str]) -> bool:
        """Whether the database was in this ``state`` then."""
        return state == self.held if self.held else state[:2] == [self.rows, self.outcomes]


def archive(place: Place, before: date) -> Iterator[tuple[str, date, int]]:
    """Archive each day before that one whose archive is missing or stale: yields model, day, rows.

    A day is archived again after a row came late from a spool, or an outcome came or was corrected.
    Raises ArchiveError, OSError.
    """
    for day in _days(before):
        for model in _models(day):
            rows = _rows(model, day)
            checked = _checked(place, _folder(model, day))
            if checked is None or not checked.is_of(_state(rows)):
                yield model, day, _write(place, _folder(model, day), rows, checked)


def first_unarchived(place: Place, before: date) -> date:
    """The oldest day before that one whose archive is incomplete; that day if there is none."""
    return next((day for day in _days(before) if not _is_archived(place, day)), before)


def _is_archived(place: Place, day: date) -> bool:
    """Whether the archive holds all of the day's rows unchanged; logs the reason if not."""
    for model in _models(day):
        if lack := _lack(place, _folder(model, day), _rows(model, day)):
            logger.warning(
                "nothing of %s or later is deleted: %s/%s %s", day, _folder(model, day), FILE, lack
            )
            return False
    return True


def _lack(place: Place, folder: str, rows: QuerySet[Prediction]) -> str:
    """Why ``rows`` may not be deleted; empty if the archive holds them all."""
    checked = _checked(place, folder)
    if checked is None:
        return "is not archived yet"
    with place.copy(f"{folder}/{FILE}") as file:
        if file is None or sha256_of(file) != checked.file_sha256:
            return f"is not the file that was checked; {_MEND}"
        if not holds(read_parquet(file), rows_of(rows)):
            return "lacks what came since; archive_predictions archives it again"
    return ""


def _folder(model: str, day: date) -> str:
    return f"model={model}/day={day}"


def _days(before: date) -> Iterator[date]:
    found = history.span()
    day = found[0].date() if found else before
    while day < before:
        yield day
        day += timedelta(days=1)


def _models(day: date) -> list[str]:
    start = _start(day)
    of_day = history.between(Prediction.objects.order_by(), start, start + timedelta(days=1))
    return sorted(of_day.values_list("model", flat=True).distinct())


def _rows(model: str, day: date) -> QuerySet[Prediction]:
    start = _start(day)
    rows = Prediction.objects.filter(model=model).order_by("id")
    return history.between(rows, start, start + timedelta(days=1))


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _state(rows: QuerySet[Prediction]) -> list[int | str]:
    """Figures that change when a row, an outcome or a correction comes, or rows are deleted."""
    of_rows = {"prediction__in": rows.order_by()}
    outcomes, earlier = Outcome.objects.filter(**of_rows), EarlierOutcome.objects.filter(**of_rows)
    ids = rows.values_list("id", flat=True)
    ends = [str(ids.first()), str(ids.last())]
    return [rows.count(), outcomes.count(), earlier.count(), *ends]


def _checked(place: Place, folder: str) -> Checked | None:
    data = place.read(f"{folder}/{CHECKED}")
    if data is None:
        return None
    try:
        return Checked(**json.loads(data))
    except (ValueError, TypeError) as error:
        raise ArchiveError(f"{folder}/{CHECKED} is damaged: {error}") from error


def _note(place: Place, folder: str, checked: Checked) -> None:
    place.write(f"{folder}/{CHECKED}", json.dumps(asdict(checked)).encode())


def _write(place: Place, folder: str, rows: QuerySet[Prediction], before: Checked | None) -> int:
    """Write a day, read it back, compare, and only then mark it as checked.

    A process that is killed here leaves the old file or the new one, and a note that fits both.
    """
    held = _state(rows)
    with ExitStack() as used:
        kept = _kept(used.enter_context(place.copy(f"{folder}/{FILE}")), folder, before)
        draft = used.enter_context(place.draft(f"{folder}/{FILE}"))
        written = write_parquet(draft, merged(rows_of(rows), kept))
        if digest_of(read_parquet(draft)) != written.digest:
            raise ArchiveError(f"{draft} does not hold what was written to it")
        if held != _state(rows):
            raise ArchiveError(f"rows of {folder} changed meanwhile: archive it again")
        checked = Checked(*written, sha256_of(draft), held)
        if before is not None:
            _note(place, folder, replace(before, next_sha256=checked.file_sha256))
    _note(place, folder, checked)
    return checked.rows


def _kept(file: Path | None, folder: str, before: Checked | None) -> Iterator[tuple[object, ...]]:
    """The rows of the existing file. Raises ArchiveError if it is not the file that was checked."""
    if before is None:  # so no row of the day was deleted yet
        return iter(())
    if file is None or sha256_of(file) not in (before.file_sha256, before.next_sha256):
        raise ArchiveError(
            f"{folder}/{FILE} is not the file that was checked, and may have held rows that the "
            f"database has no more; {_MEND}"
        )
    return read_parquet(file)
