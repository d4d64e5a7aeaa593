"""The rows of an archived day: read from the database, written to Parquet, and read back."""

import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator
from datetime import UTC
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from django.db.models import QuerySet

from predictor.models import Prediction

_CHUNK = 5_000  # rows in memory and in a Parquet row group
_FIELDS = (
    "id", "time", "version", "sha256", "inputs", "scores", "top_flag", "duration", "source",
    "caller", "reference", "trace", "items", "outcome__flag",
)  # fmt: skip
_NAMES = (*_FIELDS[:-1], "outcome")
Row = tuple[Any, ...]


class ArchiveError(Exception):
    """A day cannot be archived, or its archive differs from the database."""


class Written(NamedTuple):
    """The counts and the digest of a written file."""

    rows: int
    outcomes: int
    digest: str  # SHA-256 over all rows, in order


def rows_of(rows: QuerySet[Prediction]) -> Iterator[Row]:
    """The database's rows as an archive has them, in the order of their ids."""
    chunk = list(rows.values_list(*_FIELDS)[:_CHUNK])
    while chunk:
        yield from map(_plain, chunk)
        chunk = list(rows.filter(id__gt=chunk[-1][0]).values_list(*_FIELDS)[:_CHUNK])


def merged(rows: Iterable[Row], kept: Iterable[Row]) -> Iterator[Row]:
    """``rows``, and the rows of ``kept`` that are not among them; both are sorted by id."""
    last = None
    for row in heapq.merge(rows, kept, key=itemgetter(0)):  # with equal ids, ``rows`` come first
        if row[0] != last:
            yield row
        last = row[0]


def holds(archived: Iterator[Row], rows: Iterable[Row]) -> bool:
    """Whether ``archived`` holds each of ``rows`` unchanged; both are sorted by id."""
    return all(next((one for one in archived if one[0] >= row[0]), None) == row for row in rows)


def write_parquet(path: Path, rows: Iterator[Row]) -> Written:
    """Write ``rows`` to a file. Raises ArchiveError if pyarrow is not installed."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - 50 MB that only archiving needs
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise ArchiveError("an archive needs pyarrow: pip install pyarrow") from None

    kinds = {"time": pa.timestamp("us", "UTC"), "duration": pa.float64(), "items": pa.int64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in _NAMES])
    digest, count, outcomes = hashlib.sha256(), 0, 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while chunk := list(islice(rows, _CHUNK)):
            for row in chunk:
                digest.update(_line(row))
            count += len(chunk)
            outcomes += sum(row[-1] is not None for row in chunk)
            columns = [list(column) for column in zip(*chunk, strict=True)]
            writer.write_table(pa.table(dict(zip(_NAMES, columns, strict=True)), schema=schema))
    return Written(count, outcomes, digest.hexdigest())


def read_parquet(path: Path) -> Iterator[Row]:
    """The rows of a file."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_CHUNK):
            columns = [column.to_pylist() for column in batch.columns]
            for row in zip(*columns, strict=True):
                yield row[0], row[1].astimezone(UTC), *row[2:]


def digest_of(rows: Iterable[Row]) -> str:
    """SHA-256 over ``rows``, in order."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(_line(row))
    return digest.hexdigest()


def _plain(row: Row) -> Row:
    identity, when, version, sha256, inputs, scores, *rest = row
    return str(identity), when, version, sha256, _json(inputs), _json(scores), *rest


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _line(row: Row) -> bytes:
    return repr(row).encode()
