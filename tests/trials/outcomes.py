"""Outcomes of all that is on record, in one statement."""

from predictor.models import Outcome, Prediction


def came_true(flag: str = "") -> None:
    """Record that ``flag`` came true for every answer; without it, what the answer said."""
    Outcome.objects.bulk_create(
        Outcome(prediction=row, model=row.model, version=row.version, flag=flag or row.top_flag)
        for row in Prediction.objects.order_by("id")
    )
