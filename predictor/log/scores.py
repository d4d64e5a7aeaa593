"""Top scores of the rows that releases before the column put on record."""

import time

from predictor.models import Prediction

_BATCH = 500  # rows in one transaction: short, so that predictions never wait long
_PAUSE = 0.01  # seconds between two, for the same reason


def fill_in_scores() -> int:
    """Give every row its top score; how many had none."""
    filled, unknown = 0, Prediction.objects.filter(top_score=None).order_by("id")
    rows = list(unknown.only("scores", "top_flag")[:_BATCH])
    while rows:
        for row in rows:
            row.top_score = row.scores.get(row.top_flag)
        filled += Prediction.objects.bulk_update(rows, ["top_score"])
        rows = list(unknown.filter(id__gt=rows[-1].id).only("scores", "top_flag")[:_BATCH])
        time.sleep(_PAUSE)
    return filled
