"""Retention: deletes rows older than the settings allow."""

import time
from datetime import UTC, datetime, timedelta

from django.db import transaction

from predictor.log.archive_places import Place
from predictor.log.archiving import first_unarchived
from predictor.log.uuid7 import first_at
from predictor.models import (
    EarlierOutcome,
    IdempotencyKey,
    Note,
    Outcome,
    Prediction,
    Refusal,
    Shadow,
)

_BATCH = 1_000  # rows in one transaction: short, so that predictions never wait long
_PAUSE = 0.01  # seconds between two, for the same reason


def prune(older_than: timedelta, archive: Place | None = None) -> int:
    """Delete older predictions, their outcomes and notes, and counts of refusals; returns how many.

    With an ``archive``, deletion stops at the first day that is not fully archived.
    """
    moment = datetime.now(UTC) - older_than
    if archive is not None:
        day = first_unarchived(archive, moment.date())
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    limit = first_at(moment)
    total = 0
    old = Prediction.objects.filter(id__lt=limit).order_by("id").values_list("id", flat=True)
    while ids := list(old[:_BATCH]):
        with transaction.atomic():
            Outcome.objects.filter(prediction_id__lte=ids[-1]).delete()
            Shadow.objects.filter(prediction_id__lte=ids[-1]).delete()
            EarlierOutcome.objects.filter(prediction_id__lte=ids[-1]).delete()
            Note.objects.filter(prediction_id__lte=ids[-1]).delete()
            Prediction.objects.filter(id__lte=ids[-1]).delete()
        total += len(ids)
        time.sleep(_PAUSE)
    IdempotencyKey.objects.filter(first__lt=limit).delete()
    Refusal.objects.filter(day__lt=(datetime.now(UTC) - older_than).date()).delete()
    return total
