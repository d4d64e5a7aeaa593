"""Django's ``migrate``, one at a time; it also activates what INITIAL_VERSION names."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.commands.migrate import Command as DjangoCommand
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from predictor.management.server_command import ServerCommand
from predictor.serving.activation import begin_with
from predictor.serving.served_models import read_pins

# An advisory lock that no other program in the database should use: "batc" in ASCII.
_LOCK = 0x62617463
_PAUSE = 0.5  # seconds between two tries to get the lock


class Command(ServerCommand, DjangoCommand):
    """Django's command, but a second process waits: two at once would create each table twice.

    SQLite needs no lock: only one pod or machine has the file.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        only_looks = options["plan"] or options["check_unapplied"]
        if only_looks or connections[options["database"]].vendor != "postgresql":
            super().handle(*args, **options)
        else:
            with self._alone(options["database"]):
                super().handle(*args, **options)
        if not only_looks and not options["app_label"]:
            for decision in begin_with(read_pins(settings.INITIAL_VERSION)):
                self.stdout.write(f"{decision.model} {decision.version} is active, the first")

    @contextmanager
    def _alone(self, alias: str) -> Iterator[None]:
        """Hold a PostgreSQL lock on migrations, in a transaction on a separate connection.

        The lock ends with the transaction, so a killed process does not keep it, and it works
        behind a pooler that shares connections between transactions. It is polled, because a
        statement that waits for it would block the other process's ``CREATE INDEX CONCURRENTLY``.
        """
        connection = connections.create_connection(alias)
        try:
            connection.set_autocommit(False)
            if not _locked(connection):
                self.stdout.write("Waiting for another migration of this database")
                self.stdout.flush()  # the wait may take minutes
                while not _locked(connection):
                    time.sleep(_PAUSE)
            yield
        finally:
            connection.close()


def _locked(connection: BaseDatabaseWrapper) -> bool:
    """Whether this transaction got the lock; if not, the transaction is closed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        locked: bool = cursor.fetchone()[0]
    if not locked:
        connection.rollback()
    return locked
