"""Run retention by hand; with LOG_RETENTION, the service does the same automatically."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection

from predictor.artifacts.figures import counted
from predictor.log.ages import age
from predictor.log.retention import prune
from predictor.management.archives import log_archive
from predictor.management.server_command import ServerCommand


class Command(ServerCommand):
    """``manage.py prune_predictions``."""

    help = "Delete predictions, with their outcomes, that are older than an age such as 90d."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than", type=_age, required=True, metavar="AGE",
            help="a number and h, d or w: 12h, 90d, 52w",
        )  # fmt: skip

    def handle(self, *args: Any, older_than: timedelta, **options: Any) -> None:
        total = prune(older_than, log_archive())
        self.stdout.write(f"{counted(total, 'prediction')} deleted")
        if total and connection.vendor == "sqlite" and not connection.in_atomic_block:
            self._give_space_back()

    def _give_space_back(self) -> None:
        """Return disk space to the system: SQLite keeps that of deleted rows until VACUUM."""
        path = Path(connection.settings_dict["NAME"])
        before = path.stat().st_size
        try:
            with connection.cursor() as cursor:
                cursor.execute("VACUUM")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except OperationalError as error:  # in use, or no room for the copy that VACUUM makes
            self.stderr.write(
                f"{path} stays at {_megabytes(before)}: {error}; its space is used for rows to "
                "come, or run the command again"
            )
            return
        after = path.stat().st_size
        self.stdout.write(f"{path} has {_megabytes(after)} now; it had {_megabytes(before)}")


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MB"


def _age(text: str) -> timedelta:
    try:
        return age(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
