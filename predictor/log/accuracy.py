"""How often a version was right, measured by the outcomes that were told."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from predictor.log.uuid7 import first_at
from predictor.models import Outcome

MAX_OUTCOMES = 5_000  # the newest are measured: sure to a percent, and 30 ms of work
_BINS = 10
_LEAST = 1e-15  # a score of 0 for what came true costs -ln of this, not infinity


@dataclass(frozen=True)
class Bin:
    """A bar of the reliability diagram: answers whose top score was in a tenth of 0 to 1."""

    low: float
    count: int
    mean_score: float
    share_correct: float


@dataclass(frozen=True)
class Accuracy:
    """A version's record. ``log_loss`` and ``brier`` are None when scores are no probabilities."""

    model: str
    version: str
    count: int
    accuracy: float
    log_loss: float | None
    brier: float | None
    reliability: list[Bin] = field(default_factory=list)
    confusion: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (truth, top flag)

    @property
    def calibration_error(self) -> float | None:
        """Mean distance, over all answers, of their bin's mean score and its share that was right.

        The expected calibration error of Naeini, Cooper and Hauskrecht (2015), with ten bins.
        """
        if not self.reliability:
            return None
        distances = (b.count * abs(b.mean_score - b.share_correct) for b in self.reliability)
        return sum(distances) / self.count


def measure_accuracy(model: str, version: str, since: datetime | None = None) -> Accuracy | None:
    """The record of a version over the newest outcomes, or None when none was told.

    Log loss is the mean of -ln p of the flag that came true; the Brier score the mean of the
    squared distance between all scores and the truth (Brier 1950, 0 is perfect, 2 the worst).
    """
    told = Outcome.objects.filter(model=model, version=version)
    if since is not None:
        told = told.filter(prediction_id__gte=first_at(since))
    rows = told.order_by("-prediction_id").values_list(
        "flag", "prediction__top_flag", "prediction__scores"
    )[:MAX_OUTCOMES]
    cases = list(rows)
    if not cases:
        return None
    losses, distances = [], []
    for truth, _, scores in cases:
        if _are_probabilities(scores):
            losses.append(-math.log(max(scores.get(truth, 0.0), _LEAST)))
            distances.append(sum((p - (flag == truth)) ** 2 for flag, p in scores.items()))
    probabilities = len(losses) == len(cases)
    return Accuracy(
        model,
        version,
        len(cases),
        sum(truth == top for truth, top, _ in cases) / len(cases),
        sum(losses) / len(losses) if probabilities else None,
        sum(distances) / len(distances) if probabilities else None,
        _reliability([(scores[top], truth == top) for truth, top, scores in cases])
        if probabilities
        else [],
        Counter((truth, top) for truth, top, _ in cases),
    )


def _are_probabilities(scores: Mapping[str, float]) -> bool:
    return all(0 <= p <= 1 for p in scores.values()) and abs(sum(scores.values()) - 1) < 1e-6


def _reliability(answers: list[tuple[float, bool]]) -> list[Bin]:
    bins: dict[int, list[tuple[float, bool]]] = {}
    for score, correct in answers:
        bins.setdefault(min(int(score * _BINS), _BINS - 1), []).append((score, correct))
    return [
        Bin(
            number / _BINS,
            len(inside),
            sum(score for score, _ in inside) / len(inside),
            sum(correct for _, correct in inside) / len(inside),
        )
        for number, inside in sorted(bins.items())
    ]
