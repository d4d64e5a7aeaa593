"""How good a version's answers were, judged by reported outcomes."""

from datetime import datetime

from predictor.evidence.accuracy import Accuracy, Bin, accuracy_of
from predictor.log.history import sampled
from predictor.log.uuid7 import first_at
from predictor.models import Outcome

__all__ = ["Accuracy", "Bin", "measure_accuracy"]

MOST = 5_000  # outcomes: accurate to a percent, and 50 ms of work


def measure_accuracy(model: str, version: str, since: datetime | None = None) -> Accuracy | None:
    """The version's track record over answers since then that have outcomes; None without any.

    Of more than MOST outcomes, an even sample of MOST is measured.
    """
    known = Outcome.objects.filter(model=model, version=version)
    if since is not None:
        known = known.filter(prediction_id__gte=first_at(since))
    rows = sampled(known, MOST, key="prediction_id")
    cases = list(rows.values_list("flag", "prediction__top_flag", "prediction__scores"))
    return accuracy_of(model, version, cases) if cases else None
