"""Retention: delete what is older than it may be."""

import re
import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from predictor.log.uuid7 import first_at
from predictor.management.server_command import ServerCommand
from predictor.models import Outcome, Prediction, Refusal

_BATCH = 1_000  # rows in one transaction: short, so that predictions never wait long
_PAUSE = 0.01  # seconds between two, for the same reason
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


class Command(ServerCommand):
    """``manage.py prune_predictions``."""

    help = "Delete predictions, with their outcomes, that are older than an age such as 90d."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than", type=_age, required=True, metavar="AGE",
            help="a number and h, d or w: 12h, 90d, 52w",
        )  # fmt: skip

    def handle(self, *args: Any, older_than: timedelta, **options: Any) -> None:
        limit = first_at(datetime.now(UTC) - older_than)
        total = 0
        while ids := list(
            Prediction.objects.filter(id__lt=limit)
            .order_by("id")
            .values_list("id", flat=True)[:_BATCH]
        ):
            with transaction.atomic():
                Outcome.objects.filter(prediction_id__lte=ids[-1]).delete()
                Prediction.objects.filter(id__lte=ids[-1]).delete()
            total += len(ids)
            time.sleep(_PAUSE)
        Refusal.objects.filter(day__lt=(datetime.now(UTC) - older_than).date()).delete()
        self.stdout.write(f"{total:,} predictions deleted")


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if not match:
        raise ArgumentTypeError(f"{text!r} is no age; give a number and h, d or w, such as 90d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
