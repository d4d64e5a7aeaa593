"""How many rows per second one connection writes, and their size; for Django's shell."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from django.db import connection

from predictor.log.writer.rows import COLUMNS, LogRow
from predictor.log.writer.store import connect_store
from predictor.models import Prediction
from tests.log.entries import many

CHUNK = 5_000  # rows in a commit: the most in a commit of the server
DAYS = 3  # so that some are complete
TABLE = Prediction._meta.db_table  # noqa: SLF001 - Django documents _meta
_COLUMNS = ", ".join(f'"{name}"' for name in COLUMNS)
_Write = Callable[[Sequence[LogRow]], None]


def measure(rows: int) -> dict[str, tuple[str, float, float]]:
    """Title, bytes per row and rows per second of each way to write ``rows`` rows."""
    all_rows = list(many(rows, days=DAYS))
    chunks = [all_rows[at : at + CHUNK] for at in range(0, rows, CHUNK)]
    store = connect_store()

    def insert(chunk: Sequence[LogRow]) -> None:
        store.insert(chunk, lambda row, reason: None)

    if connection.vendor == "sqlite":
        return {"sqlite": ("SQLite, `INSERT`", *_timed(insert, chunks, _file_size))}
    _ask(f"CREATE TABLE bare (LIKE {TABLE})")
    _ask("ALTER TABLE bare ADD PRIMARY KEY (id)")
    found = {
        "key": ("PostgreSQL, `COPY`, no index but the key's", *_copied("bare", chunks)),
        "copy": ("PostgreSQL, `COPY`", *_copied(TABLE, chunks)),
    }
    _ask(f"TRUNCATE {TABLE} CASCADE")
    size = partial(_table_size, TABLE)
    return {"insert": ("PostgreSQL, `INSERT`", *_timed(insert, chunks, size))} | found


def _timed(
    write: _Write, chunks: Sequence[Sequence[LogRow]], size: Callable[[], int]
) -> tuple[float, float]:
    """Bytes per row, and rows per second."""
    rows = sum(len(chunk) for chunk in chunks)
    before, began = size(), time.perf_counter()
    for chunk in chunks:
        write(chunk)
    seconds = time.perf_counter() - began
    return (size() - before) / rows, rows / seconds


def _copied(table: str, chunks: Sequence[Sequence[LogRow]]) -> tuple[float, float]:
    def copy(chunk: Sequence[LogRow]) -> None:
        statement = f"COPY {table} ({_COLUMNS}) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(statement) as rows:
            for row in chunk:
                rows.write_row(row)

    return _timed(copy, chunks, partial(_table_size, table))


def _table_size(table: str) -> int:
    return int(_ask(f"SELECT pg_total_relation_size('{table}')"))


def _file_size() -> int:
    _ask("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(connection.settings_dict["NAME"]).stat().st_size


def _ask(statement: str) -> int:
    """The first value of the result, or 0 if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0]) if cursor.description else 0
