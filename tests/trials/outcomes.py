"""Records outcomes of all logged predictions, in one statement."""

from collections.abc import Collection
from uuid import UUID

from predictor.models import Outcome, Prediction


def came_true(flag: str = "", only: Collection[UUID] | None = None) -> None:
    """Record ``flag`` as the outcome of every answer; without it, the answer's top flag."""
    rows = Prediction.objects.order_by("id")
    Outcome.objects.bulk_create(
        Outcome(prediction=row, model=row.model, version=row.version, flag=flag or row.top_flag)
        for row in (rows if only is None else rows.filter(pk__in=only))
    )
