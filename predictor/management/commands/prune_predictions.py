"""Retention by hand; LOG_RETENTION does the same by itself."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from predictor.log.ages import age
from predictor.log.retention import prune
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
        self.stdout.write(f"{prune(older_than):,} predictions deleted")


def _age(text: str) -> timedelta:
    try:
        return age(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
