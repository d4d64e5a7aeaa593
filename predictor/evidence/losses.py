"""How good answers are, and how certain it is that one model's answers are better."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .cases import Cases, Numbers

LEAST = 1e-15  # a probability; 0 has no logarithm
BINS = 20


@dataclass(frozen=True)
class Difference:
    """How much lower a candidate's log loss is than a reference's, per case; above 0 is better.

    Between ``low`` and ``high`` are 95 of 100 such means over other clusters of the same kind. They
    do not cover what all clusters share, such as an odd December.
    """

    mean: float
    error: float  # standard error
    low: float
    high: float
    clusters: int


@dataclass(frozen=True)
class Reliability:
    """A bin of cases with similar answers: the mean stated share, the actual share, the cases."""

    stated: float
    actual: float
    size: float


def log_loss(scores: Sequence[Numbers], counts: Sequence[Numbers]) -> float:
    """Mean of -ln(probability given to what happened), over all cases."""
    total = sum(map(_loss, scores, counts))
    return total / sum(map(sum, counts))


def paired_difference(
    candidate: Sequence[Numbers],
    reference: Sequence[Numbers],
    counts: Sequence[Numbers],
    clusters: Sequence[str],
) -> Difference | None:
    """The difference in log loss, with an interval that assumes independent clusters.

    A ratio estimator over clusters (Cochran 1977, Sampling Techniques, chapter 6): with d the sum
    of loss differences in a cluster, m its cases, N all cases, G clusters and r = sum(d) / N, the
    standard error is sqrt(G / (G - 1) * sum((d - r m)^2)) / N, and the interval r ± t(.975, G - 1)
    of it. None with a single cluster.
    """
    gains: dict[str, float] = {}
    sizes: dict[str, float] = {}
    for ours, theirs, counted, cluster in zip(candidate, reference, counts, clusters, strict=True):
        gains[cluster] = gains.get(cluster, 0) + _loss(theirs, counted) - _loss(ours, counted)
        sizes[cluster] = sizes.get(cluster, 0) + sum(counted)
    every, found = sum(sizes.values()), len(gains)
    if found < 2:
        return None
    # scipy takes a tenth of a second, and only judging needs it
    from scipy.special import stdtrit  # noqa: PLC0415

    mean = sum(gains.values()) / every
    squares = sum((gains[cluster] - mean * sizes[cluster]) ** 2 for cluster in gains)
    error = math.sqrt(found / (found - 1) * squares) / every
    reach = float(stdtrit(found - 1, 0.975)) * error
    return Difference(mean, error, mean - reach, mean + reach, found)


def brier(scores: Sequence[Numbers], counts: Sequence[Numbers]) -> float:
    """Mean squared distance between the stated probability and the outcome, over all cases.

    Of two flags only the second (as in scikit-learn; Brier's own score of 1950 is twice that), of
    more the sum over all of them.
    """
    squares = sum(
        (sum(counted) - counted[flag]) * stated[flag] ** 2 + counted[flag] * (1 - stated[flag]) ** 2
        for stated, counted in zip(scores, counts, strict=True)
        for flag in _measured(counted)
    )
    return squares / sum(map(sum, counts))


def calibration_error(scores: Sequence[Numbers], counts: Sequence[Numbers]) -> float:
    """Expected calibration error: mean |stated - actual share| over 20 bins of equal volume.

    Of two flags only the second, of more the mean over all of them.
    """
    flags = _measured(counts[0])
    found = [
        sum(abs(one.stated - one.actual) * one.size for one in reliability(scores, counts, flag))
        for flag in flags
    ]
    return sum(found) / sum(map(sum, counts)) / len(flags)


def reliability(
    scores: Sequence[Numbers], counts: Sequence[Numbers], flag: int
) -> list[Reliability]:
    """A flag's stated and actual shares, in up to 20 bins of about equal volume."""
    sizes = [sum(counted) for counted in counts]
    every, before = sum(sizes), 0.0
    bins: dict[int, tuple[float, float, float]] = {}
    for at in sorted(range(len(scores)), key=lambda at: scores[at][flag]):
        number = min(int((before + sizes[at] / 2) / every * BINS), BINS - 1)
        stated, hits, size = bins.get(number, (0.0, 0.0, 0.0))
        promised = scores[at][flag] * sizes[at]
        bins[number] = (stated + promised, hits + counts[at][flag], size + sizes[at])
        before += sizes[at]
    return [
        Reliability(stated / size, hits / size, size)
        for _, (stated, hits, size) in sorted(bins.items())
        if size
    ]


def diagrams(cases: Cases, judged: str) -> dict[str, list[dict[str, float]]]:
    """The reliability of each flag that a measure looks at, as metadata.json keeps it."""
    return {
        cases.flags[flag]: [
            {"stated": round(one.stated, 5), "actual": round(one.actual, 5), "n": round(one.size)}
            for one in reliability(cases.scores[judged], cases.counts, flag)
        ]
        for flag in _measured(cases.flags)
    }


def _measured(flags: Sequence[object]) -> Sequence[int]:
    """The flags to measure: of two, only the second, since the first is its complement."""
    return range(len(flags)) if len(flags) != 2 else [1]


def constant(cases: Cases) -> list[Numbers]:
    """The overall shares as the answer to every case: the best answer without any input."""
    totals = [sum(column) for column in zip(*cases.counts, strict=True)]
    return [tuple(total / sum(totals) for total in totals)] * len(cases.rows)


def _loss(scores: Numbers, counts: Numbers) -> float:
    return -sum(
        count * math.log(max(score, LEAST))
        for score, count in zip(scores, counts, strict=True)
        if count
    )
