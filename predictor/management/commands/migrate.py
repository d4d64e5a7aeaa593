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
from predictor.serving.choice import read_pins

# A number that no other user of the same database's advisory locks has: "batc" in ASCII.
_LOCK = 0x62617463
_PAUSE = 0.5  # seconds between two tries to get the lock


class Command(ServerCommand, DjangoCommand):
    """Django's own, for which a second process waits: two at once would make each table twice.

    SQLite needs no lock: one pod or machine has the file.
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
        """Hold PostgreSQL's lock on migrations, in a transaction on a connection of its own.

        The lock goes with the transaction, so a killed process leaves none behind, and a pooler
        that shares connections between transactions keeps it where it was taken. It is asked for
        again and again, because a statement that waits for it would block the other process's
        ``CREATE INDEX CONCURRENTLY``.
        """
        connection = connections.create_connection(alias)
        try:
            connection.set_autocommit(False)
            if not _locked(connection):
                self.stdout.write("Waiting for another migration of this database")
                self.stdout.flush()  # it may wait for minutes
                while not _locked(connection):
                    time.sleep(_PAUSE)
            yield
        finally:
            connection.close()


def _locked(connection: BaseDatabaseWrapper) -> bool:
    """Whether this transaction got the lock; without it, the transaction is over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        locked: bool = cursor.fetchone()[0]
    if not locked:
        connection.rollback()
    return locked
