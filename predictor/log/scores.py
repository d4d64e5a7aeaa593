"""Fills in the top score and its step of rows from releases that lacked these columns."""

import time
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection, transaction

from predictor.log.steps import step_of
from predictor.models import Prediction

_BATCH = 500  # rows in one transaction: short, so that predictions never wait long
_PAUSE = 0.01  # seconds between two, for the same reason
_TABLE = Prediction._meta.db_table  # noqa: SLF001 - Django documents _meta
# bulk_update() would write one statement with all ids and values, and take six times as long
_FILL = f'UPDATE "{_TABLE}" SET "top_score" = %s, "score_step" = %s WHERE "id" = %s'  # noqa: S608


def fill_in_scores() -> int:
    """Give every row its top score and its step; returns how many lacked them."""
    lacking = Prediction.objects.filter(score_step=None).order_by("id")
    filled, unknown = 0, lacking.values_list("id", "scores", "top_flag")
    rows = list(unknown[:_BATCH])
    while rows:
        filled += _fill(rows)
        rows = list(unknown.filter(id__gt=rows[-1][0])[:_BATCH])
        time.sleep(_PAUSE)
    return filled


def _fill(rows: Sequence[tuple[UUID, Mapping[str, float], str]]) -> int:
    found = [
        (score, step_of(score), identity.hex)
        for identity, scores, flag in rows
        if (score := scores.get(flag)) is not None
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_FILL, found)
    return len(found)
