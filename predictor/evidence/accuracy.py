"""How good a version's answers with known outcomes were. Plain arithmetic."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from . import losses

_BINS = 10

# The flag that came true, the top flag, all scores.
CaseResult = tuple[str, str, Mapping[str, float]]


@dataclass(frozen=True)
class Bin:
    """A bar of the reliability diagram: answers with a top score in one tenth of 0 to 1."""

    low: float
    count: int
    mean_score: float
    share_correct: float


@dataclass(frozen=True)
class Accuracy:
    """A version's record. The three measures are None when scores are not probabilities."""

    model: str
    version: str
    count: int
    accuracy: float  # share of answers whose top flag came true
    log_loss: float | None
    brier: float | None
    calibration_error: float | None
    reliability: list[Bin] = field(default_factory=list)
    confusion: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (truth, top flag)


def accuracy_of(model: str, version: str, cases: Sequence[CaseResult]) -> Accuracy:
    """The record of a version over ``cases``, at least one, by the same measures as training."""
    probabilities = all(are_probabilities(scores) for _, _, scores in cases)
    log_loss, brier, calibration_error = _measures(cases) if probabilities else (None, None, None)
    return Accuracy(
        model,
        version,
        len(cases),
        sum(truth == top for truth, top, _ in cases) / len(cases),
        log_loss,
        brier,
        calibration_error,
        _reliability([(scores[top], truth == top) for truth, top, scores in cases])
        if probabilities
        else [],
        Counter((truth, top) for truth, top, _ in cases),
    )


def _measures(cases: Sequence[CaseResult]) -> tuple[float, float, float]:
    """Log loss, Brier score and calibration error."""
    flags = list(cases[0][2])
    stated = [tuple(scores.get(flag, 0.0) for flag in flags) for _, _, scores in cases]
    happened = [tuple(float(flag == truth) for flag in flags) for truth, _, _ in cases]
    return (
        losses.log_loss(stated, happened),
        losses.brier(stated, happened),
        losses.calibration_error(stated, happened),
    )


def are_probabilities(scores: Mapping[str, float]) -> bool:
    """Whether the scores of one answer are shares of 1."""
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
