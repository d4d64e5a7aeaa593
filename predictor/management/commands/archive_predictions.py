"""Archive whole days of the log as checked Parquet files, before retention deletes them."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management import CommandError

from predictor.artifacts.figures import counted
from predictor.log.archiving import archive
from predictor.management.archives import archive_at
from predictor.management.server_command import ServerCommand


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-11-01") from None


class Command(ServerCommand):
    """``manage.py archive_predictions``."""

    help = "Write whole days of predictions and outcomes as checked Parquet, by model and day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "place", nargs="?", help="a folder, or azure:CONTAINER/PREFIX; else LOG_ARCHIVE"
        )
        parser.add_argument(
            "--before", type=_day, metavar="DAY",
            default=datetime.now(UTC).date() - timedelta(days=1),
            help="only earlier days, such as 2026-11-01; default: all but yesterday and today",
        )  # fmt: skip

    def handle(self, *args: Any, place: str | None, before: date, **options: Any) -> None:
        if before > datetime.now(UTC).date():
            raise CommandError("--before may not be after today: today is not complete")
        place = place or settings.LOG_ARCHIVE
        if not place:
            raise CommandError("name a folder, or set LOG_ARCHIVE")
        total = 0
        for model, day, rows in archive(archive_at(place), before):
            self.stdout.write(f"{model} {day}: {counted(rows, 'prediction')}")
            total += rows
        self.stdout.write(f"{counted(total, 'prediction')} archived and checked")
