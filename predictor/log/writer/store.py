"""The log's table, written through one separate connection per process."""

import copy
import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, Any, ParamSpec

from django.db import DataError, IntegrityError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend

from predictor.concurrency import run_in_thread
from predictor.log.writer.disk import database_disk
from predictor.log.writer.rows import COLUMNS, LogRow, blank_row, json_text
from predictor.models import Prediction

logger = logging.getLogger(__name__)

_P = ParamSpec("_P")

ALIAS = "log"  # of the writer's connections, which do not count among those of requests
_CHUNK = 1_000  # rows in one statement: those of the largest array
_TABLE = Prediction._meta.db_table  # noqa: SLF001 - Django documents _meta
_COLUMNS = ", ".join(f'"{name}"' for name in COLUMNS)

# No request waits longer than this for the database: its rows go to the spool instead. The other
# parameters are the same for all connections (batcomputer/database).
_PATIENCE = 2  # seconds
_POSTGRESQL = {
    "connect_timeout": _PATIENCE,
    "server_side_binding": False,  # so that several statements go in one message
}
# Each insert sets the server's own timeouts: a pooler refuses startup parameters, and gives the
# connection to another client after each transaction. The statements of one message are one
# transaction, so SET LOCAL ends with it, costs no round trip, and works in every pooling mode.
# https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
_LIMITS = f"SET LOCAL lock_timeout = {_PATIENCE}000; SET LOCAL statement_timeout = {_PATIENCE}000; "


def connect_store() -> "Store":
    """A store over a new connection to the default database, with limits on how long it waits."""
    described: dict[str, Any] = copy.deepcopy(connections.settings["default"])
    options = described["OPTIONS"]
    queue: AbstractContextManager[object] = nullcontext()
    if described["ENGINE"] == "django.db.backends.sqlite3":
        options["timeout"] = _PATIENCE
        queue = _Queue(Path(f"{described['NAME']}-queue"))
    else:
        options |= _POSTGRESQL | {key: options[key] for key in _POSTGRESQL.keys() & options.keys()}
    backend = load_backend(described["ENGINE"])
    connection: BaseDatabaseWrapper = backend.DatabaseWrapper(described, ALIAS)
    connection.inc_thread_sharing()  # the leader of a commit uses it, one at a time
    return Store(connection, queue)


def _insert(source: str) -> str:
    """The statement that inserts the rows of ``source``, except those that exist already."""
    return f'INSERT INTO "{_TABLE}" ({_COLUMNS}) {source} ON CONFLICT ("id") DO NOTHING'


@lru_cache(maxsize=64)  # a group commit has a few dozen rows, a batch _CHUNK
def _insert_values(count: int) -> str:
    """For SQLite: a placeholder for each value of ``count`` rows."""
    row = f"({', '.join('?' * len(COLUMNS))})"
    return _insert(f"VALUES {', '.join([row] * count)}")


def _insert_json(connection: BaseDatabaseWrapper) -> str:
    """For PostgreSQL: one placeholder, for a JSON list of objects."""
    fields = [Prediction._meta.get_field(name) for name in COLUMNS]  # noqa: SLF001 - as above
    types = {field.name: field.db_type(connection) for field in fields}
    # rows hold JSON as text
    columns = ", ".join(f'"{n}" {"text" if t == "jsonb" else t}' for n, t in types.items())
    values = ", ".join(f'"{n}"::jsonb' if t == "jsonb" else f'"{n}"' for n, t in types.items())
    return _insert(f"SELECT {values} FROM json_to_recordset(%s) AS row ({columns})")  # noqa: S608


def _file_of(connection: BaseDatabaseWrapper) -> Path | None:
    """SQLite's file; None for one in memory, and for PostgreSQL."""
    if connection.vendor != "sqlite" or connection.is_in_memory_db():  # type: ignore[attr-defined]
        return None
    return Path(connection.settings_dict["NAME"])


class _Queue:
    """The queue of the processes that write one SQLite file.

    SQLite makes a writer that finds the file locked sleep, longer each time. Under load that leaves
    the disk idle and delays some writers for long; a lock of the operating system wakes the next
    writer at once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def __enter__(self) -> None:
        if self._file is None:
            self._file = self._path.open("ab")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *exception: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)  # type: ignore[arg-type] # opened by __enter__


class Store:
    """Inserts rows, each exactly once by its id."""

    def __init__(
        self, connection: BaseDatabaseWrapper, queue: AbstractContextManager[object] | None = None
    ) -> None:
        self._connection = connection
        self._queue = queue or nullcontext()
        self._insert_json = _insert_json(connection) if connection.vendor == "postgresql" else ""
        self._place = _file_of(connection)
        self._file: os.stat_result | None = None  # to which the connection was opened

    def insert(self, rows: Sequence[LogRow], refuse: Callable[[LogRow, str], None]) -> None:
        """Commit ``rows``; rows that exist already stay unchanged.

        A row whose content the database refuses goes to ``refuse`` with the reason. Raises
        django.db.Error when the database cannot be written now.
        """
        self.insert_in_turn(lambda: rows, refuse)

    def insert_in_turn(
        self, take: Callable[[], Sequence[LogRow]], refuse: Callable[[LogRow, str], None]
    ) -> None:
        """As ``insert``, with the rows that ``take`` returns when this process's turn comes.

        ``take`` may be called in another thread, and more than once.
        """
        disk = database_disk(self._connection.settings_dict)
        if disk is not None and disk.is_full():
            raise OperationalError("the disk has too little room left")
        try:
            self._call(self._write, take)
        except (DataError, IntegrityError):
            self._one_by_one(take(), refuse)

    def probe(self) -> None:
        """Write a row and roll it back. Raises django.db.Error when no row can be written now."""
        self._call(self._probe)

    def close(self) -> None:
        """Close the connection; the next insert opens a new one."""
        self._call(self._connection.close)

    def _call(self, function: Callable[_P, None], *args: _P.args, **kwargs: _P.kwargs) -> None:
        """SQLite blocks the thread that calls it; psycopg cooperates with gevent."""
        if self._connection.vendor == "sqlite":
            run_in_thread(function, *args, **kwargs)
        else:
            function(*args, **kwargs)

    def _write(self, take: Callable[[], Sequence[LogRow]]) -> None:
        with self._queue:
            self._check_file()
            rows = take()
            for start in range(0, len(rows), _CHUNK):
                self._execute(rows[start : start + _CHUNK])

    def _check_file(self) -> None:
        """Raise OperationalError when SQLite's file is gone, or another one is in its place.

        An open connection would go on writing to the removed file, and the rows end with it.
        """
        if self._place is None:
            return
        try:
            found = self._place.stat()
        except FileNotFoundError:
            self._connection.close()
            raise OperationalError(
                f"there is no {self._place}; put the database back, or run manage.py migrate"
            ) from None
        if self._connection.connection is None or self._file is None:
            self._file = found
        elif not os.path.samestat(found, self._file):
            self._connection.close()
            raise OperationalError(f"{self._place} was removed or replaced")

    def _execute(self, rows: Sequence[LogRow]) -> None:
        # One statement is one transaction, and releases the interpreter lock once, not per row. It
        # goes to the driver's connection: Django's cursor would search it for placeholders.
        with self._connection.cursor() as cursor, self._connection.wrap_database_errors:
            cursor.connection.execute(*self._statement(rows))

    def _statement(self, rows: Sequence[LogRow]) -> tuple[str, Sequence[Any]]:
        """The statement that inserts ``rows``, and its values."""
        if not self._insert_json:
            return _insert_values(len(rows)), [value for row in rows for value in row]
        # psycopg would search the statement for the placeholders of all values, and quote each
        # one: four times what the server takes (docs/decisions/0041-rows-as-json.md)
        objects = json_text([dict(zip(COLUMNS, row, strict=True)) for row in rows])
        return f"{_LIMITS}{self._insert_json}", [objects]

    def _probe(self) -> None:
        row = blank_row()
        self._check_file()
        statement, values = self._statement([row])
        with (
            self._queue,
            self._connection.cursor() as cursor,
            self._connection.wrap_database_errors,
        ):
            driver = cursor.connection
            if self._insert_json:
                # rolled back; one message, as above
                driver.execute(f"BEGIN; {statement}; ROLLBACK", values)
                return
            driver.execute("BEGIN IMMEDIATE")
            try:
                driver.execute(statement, values)
                driver.execute(f'DELETE FROM "{_TABLE}" WHERE "id" = ?', row[:1])  # noqa: S608
                driver.execute("COMMIT")  # only the commit notices a full disk
            except sqlite3.Error:
                self._connection.close()
                raise

    def _one_by_one(self, rows: Sequence[LogRow], refuse: Callable[[LogRow, str], None]) -> None:
        for row in rows:
            try:
                self._call(self._write, partial(list, [row]))
            except (DataError, IntegrityError) as error:
                logger.exception("the database refuses prediction %s for good", row[0])
                refuse(row, str(error))
