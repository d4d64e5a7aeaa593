"""Whole days of the log as Parquet files, for a log that is too large for one database.

``FOLDER/model=crime/day=2026-11-26/rows.parquet``, as Spark, DuckDB and pandas read partitions.
Beside each is ``_checked.json``, written once the file was read back and holds what the database
holds; readers of Parquet leave out what begins with an underscore.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db.models import QuerySet

from predictor.artifacts.durable import move_into_place, replace_file
from predictor.log import history
from predictor.models import Outcome, Prediction

FILE, CHECKED = "rows.parquet", "_checked.json"
_CHUNK = 5_000  # rows in memory, and in a row group
_FIELDS = (
    "id", "time", "version", "sha256", "inputs", "scores", "top_flag", "duration", "source",
    "caller", "reference", "trace", "items", "outcome__flag",
)  # fmt: skip
_NAMES = (*_FIELDS[:-1], "outcome")
_Row = tuple[Any, ...]


class ArchiveError(Exception):
    """A day cannot be archived, or its archive is not what the database holds."""


@dataclass(frozen=True)
class Checked:
    """What an archived day of a model holds."""

    rows: int
    outcomes: int
    digest: str  # SHA-256 over all rows, in order
    file_sha256: str


def archive(folder: Path, before: date) -> Iterator[tuple[str, date, int]]:
    """Archive every day before that one which is not archived as it is now: model, day, rows.

    Rows that came late from a spool, or outcomes that came since, have their day archived again.
    Raises ArchiveError, OSError.
    """
    for day in _days(before):
        for model in _models(day):
            rows = _rows(model, day)
            checked = _checked(_place(folder, model, day))
            if checked is None or (checked.rows, checked.outcomes) != _counts(rows):
                yield model, day, _write(_place(folder, model, day), rows)


def first_unarchived(folder: Path, before: date) -> date:
    """The oldest day before that one of which the archive lacks something; else that one."""
    return next((day for day in _days(before) if not _is_archived(folder, day)), before)


def _is_archived(folder: Path, day: date) -> bool:
    """Whether all that the database holds of that day is in the archive, unharmed."""
    for model in _models(day):
        place = _place(folder, model, day)
        checked = _checked(place)
        if checked is None or (checked.rows, checked.outcomes) != _counts(_rows(model, day)):
            return False
        try:
            if _sha256(place / FILE) != checked.file_sha256:
                return False
        except FileNotFoundError:
            return False
    return True


def _place(folder: Path, model: str, day: date) -> Path:
    return folder / f"model={model}" / f"day={day}"


def _days(before: date) -> Iterator[date]:
    found = history.span()
    day = found[0].date() if found else before
    while day < before:
        yield day
        day += timedelta(days=1)


def _models(day: date) -> list[str]:
    start = _start(day)
    names = {model for model, _ in history.versions()}
    of_day = history.between(Prediction.objects.order_by(), start, start + timedelta(days=1))
    return [model for model in sorted(names) if of_day.filter(model=model).exists()]


def _rows(model: str, day: date) -> QuerySet[Prediction]:
    start = _start(day)
    rows = Prediction.objects.filter(model=model).order_by("id")
    return history.between(rows, start, start + timedelta(days=1))


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _counts(rows: QuerySet[Prediction]) -> tuple[int, int]:
    return rows.count(), Outcome.objects.filter(prediction__in=rows.order_by()).count()


def _checked(place: Path) -> Checked | None:
    try:
        return Checked(**json.loads((place / CHECKED).read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ArchiveError(f"{place / CHECKED} is damaged: {error}") from error


def _write(place: Path, rows: QuerySet[Prediction]) -> int:
    """Write a day, read it back, compare, and only then say that it is checked."""
    place.mkdir(parents=True, exist_ok=True)
    (place / CHECKED).unlink(missing_ok=True)
    draft = place / f"_{FILE}"
    written, count, outcomes = _write_parquet(draft, rows)
    found = hashlib.sha256()
    for row in _read_parquet(draft):
        found.update(_line(row))
    if found.hexdigest() != written:
        raise ArchiveError(f"{draft} does not hold what was written to it")
    if (count, outcomes) != _counts(rows):
        raise ArchiveError(f"rows of {place} came in meanwhile: archive it again")
    move_into_place(draft, place / FILE)
    checked = Checked(count, outcomes, written, _sha256(place / FILE))
    replace_file(place / CHECKED, json.dumps(asdict(checked)).encode())
    return count


def _chunks(rows: QuerySet[Prediction]) -> Iterator[list[_Row]]:
    chunk = list(rows.values_list(*_FIELDS)[:_CHUNK])
    while chunk:
        yield [_plain(row) for row in chunk]
        chunk = list(rows.filter(id__gt=chunk[-1][0]).values_list(*_FIELDS)[:_CHUNK])


def _plain(row: _Row) -> _Row:
    identity, when, version, sha256, inputs, scores, *rest = row
    return str(identity), when, version, sha256, _json(inputs), _json(scores), *rest


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _line(row: _Row) -> bytes:
    return repr(row).encode()


def _write_parquet(path: Path, rows: QuerySet[Prediction]) -> tuple[str, int, int]:
    """The digest, the number of rows and of outcomes that were written."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - 50 MB, which only an archive needs
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise ArchiveError("an archive needs pyarrow: pip install pyarrow") from None

    kinds = {"time": pa.timestamp("us", "UTC"), "duration": pa.float64(), "items": pa.int64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in _NAMES])
    digest, count, outcomes = hashlib.sha256(), 0, 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for chunk in _chunks(rows):
            for row in chunk:
                digest.update(_line(row))
            count += len(chunk)
            outcomes += sum(row[-1] is not None for row in chunk)
            columns = [list(column) for column in zip(*chunk, strict=True)]
            writer.write_table(pa.table(dict(zip(_NAMES, columns, strict=True)), schema=schema))
    return digest.hexdigest(), count, outcomes


def _read_parquet(path: Path) -> Iterator[_Row]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_CHUNK):
            columns = [column.to_pylist() for column in batch.columns]
            for row in zip(*columns, strict=True):
                yield row[0], row[1].astimezone(UTC), *row[2:]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
