"""The ENGINE of PostgreSQL: each process opens a limited number of connections.

Every request may open one. A PostgreSQL server without free connections refuses the next client,
even the log's writer; here, requests beyond the limit wait a moment instead, and the writer has its
own connection.
"""

import sys
import threading
import time
import weakref
from functools import cache
from typing import Any

import psycopg
from django.conf import settings
from django.db import OperationalError
from django.db.backends.postgresql import base

from batcomputer.database import identity

PATIENCE = 2.0  # seconds that a request waits for a connection
_STEP = 0.05  # seconds between two attempts
# With these, libpq notices a server that is gone or has stopped answering: a request ends with
# 503, and the poll for activations does not wait for a machine that was replaced. Poolers ignore
# them. https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_NOTICE = {
    "connect_timeout": 5,  # seconds
    "tcp_user_timeout": 2000,  # milliseconds
    "keepalives_idle": 1,
    "keepalives_interval": 1,
    "keepalives_count": 2,
}
# Errors of PostgreSQL and PgBouncer when they have no free connection.
_FULL = (
    "too many clients",
    "too many connections",
    "remaining connection slots",
    "no more connect",
)
# A request behind a table that another session has locked ends with 503 after this time. It is set
# within each statement's own transaction, as in the log's writer: a pooler refuses it at the start.
_LIMIT = "SET LOCAL lock_timeout = 5000; "
_WAITS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")  # first words of statements that may


@cache
def _places() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(settings.DATABASE_CONNECTIONS)


class ImpatientCursor(base.Cursor):
    """A worker's cursor: no statement waits longer than five seconds for a lock."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """As the driver's; the results are those of ``query``.

        A database that only reads (a standby, a full disk in Azure) counts as down: the driver has
        its error among those of a bug.
        """
        try:
            return self._execute(query, params, **options)
        except psycopg.errors.ReadOnlySqlTransaction as error:
            raise psycopg.OperationalError(str(error)) from error

    def _execute(self, query: Any, params: Any, **options: Any) -> Any:
        if not (isinstance(query, str) and query.lstrip(" (").startswith(_WAITS)):
            return super().execute(query, params, **options)  # type: ignore[misc] # no stubs
        super().execute(_LIMIT + query, params, **options)  # type: ignore[misc] # no stubs
        self.nextset()  # type: ignore[attr-defined] # as above
        return self


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that takes one of the process's places while it is open.

    The log's writer, which has its own alias, needs none.
    """

    _leave: Any = staticmethod(lambda: None)  # returns the place, once

    def get_connection_params(self) -> dict[str, Any]:
        """The parameters of every connection, the writer's too; DATABASE_URL may override them."""
        found: dict[str, Any] = _NOTICE | super().get_connection_params()
        if "gevent" in sys.modules and found["cursor_factory"] is base.Cursor:  # commands may wait
            found["cursor_factory"] = ImpatientCursor
        return found

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Raises OperationalError when no place was free in time, or Azure gave no password."""
        if settings.DATABASE_PASSWORD_FROM == "azure":  # noqa: S105 - its source
            conn_params = {**conn_params, "password": identity.password()}
        if self.alias not in settings.DATABASES:
            return super().get_new_connection(conn_params)
        places = _places()
        if not places.acquire(timeout=PATIENCE):
            raise OperationalError(
                f"all {settings.DATABASE_CONNECTIONS} connections of this process are in use "
                "(DATABASE_CONNECTIONS)"
            )
        # at the latest with this object: a thread may end without closing its connection
        self._leave = weakref.finalize(self, places.release)
        self._leave.atexit = False
        try:
            return self._connected(conn_params)
        except BaseException:
            self._leave()
            raise

    def _connected(self, conn_params: dict[str, Any]) -> Any:
        """A connection, as soon as the server has a free one: closed ones take time to end."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return super().get_new_connection(conn_params)
            except psycopg.OperationalError as error:
                if time.monotonic() >= deadline or not any(words in str(error) for words in _FULL):
                    raise
            time.sleep(_STEP)

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc] # missing in the stubs
        finally:
            self._leave()
