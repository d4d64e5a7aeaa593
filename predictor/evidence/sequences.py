"""What live outcomes prove, at every look: sums that grow by one outcome at a time.

A 95 % interval is for one look. Looking after every outcome and stopping at the first interval
without zero is wrong in a third of cases; these intervals hold for all looks together.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from predictor.artifacts.figures import counted

ALPHA = 0.05  # share of false alarms over all looks, both directions together
FEWEST = 200  # outcomes before the asymptotic interval may speak
FEWEST_STRICT = 50  # before the one that holds at any number may
MARGIN = 0.0005  # of a mean loss; a smaller difference is not worth acting on
LEAST = 1e-6  # a probability; a single outcome must not decide alone
_TUNED_FOR = 1_000  # outcomes at which the asymptotic interval is narrowest
_RANGE = 2.0  # from the lowest to the highest difference of two Brier scores
_ZETA = 3.1055472779775809  # of 1.4
_HEAD_START = 100.0  # variance at which the bound of the promise test is lowest


def asymptotic_reach(count: int, variance: float, alpha: float = ALPHA) -> float:
    """Half the width of the interval for a mean of ``count`` differences with this variance.

    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (Annals
    of Statistics 2024, theorem 2.2): with t differences and r chosen for _TUNED_FOR of them,
    sqrt(variance * 2 (t r + 1) / (t² r) * ln(sqrt(t r + 1) / alpha)).
    """
    rho = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / _TUNED_FOR
    grown = count * rho + 1
    factor = 2 * grown / (count**2 * rho) * math.log(math.sqrt(grown) / alpha)
    return math.sqrt(variance * factor)


def stitched_boundary(variance: float, scale: float = _RANGE, alpha: float = ALPHA / 2) -> float:
    """How far a sum of bounded differences with this summed variance strays, in one direction.

    The polynomial stitched boundary of Howard, Ramdas, McAuliffe and Sekhon (Annals of Statistics
    2021, equation 10) with eta 2 and s 1.4; ``scale`` is the range of one difference.
    """
    v = max(variance, 1.0)
    loops = 1.4 * math.log(math.log(2 * v)) + math.log(_ZETA / (alpha * math.log(2) ** 1.4))
    k1 = (2**0.25 + 2**-0.25) / math.sqrt(2)
    k2 = (math.sqrt(2) + 1) / 2
    linear = k2 * scale * loops
    return math.sqrt(k1**2 * v * loops + linear**2) + linear


def promise_bound(variance: float, alpha: float = ALPHA) -> float:
    """How far outcomes may stray from the sum of the stated probabilities.

    If these are right, outcome minus probability is a martingale difference of variance p (1 - p),
    and the sum stays within this bound at all times, except in a share ``alpha`` of cases (a normal
    mixture, Robbins 1970).
    """
    grown = variance + _HEAD_START
    return math.sqrt(grown * (math.log(grown / _HEAD_START) - 2 * math.log(alpha)))


@dataclass(frozen=True)
class Interval:
    """A mean difference in loss, with an interval valid at every look; above 0 is worse."""

    mean: float
    low: float
    high: float
    count: int
    measure: str  # the loss that is compared

    def worse_by(self, margin: float) -> bool:
        """Whether it is proven that the mean is above ``margin``."""
        return self.low > margin

    def __str__(self) -> str:
        return (
            f"{self.measure} {self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}] "
            f"over {counted(self.count, 'outcome')}"
        )


def loss(scores: Mapping[str, float], truth: str) -> float:
    """Log loss of one answer, in nats; a probability below LEAST counts as LEAST."""
    return -math.log(min(max(scores[truth], LEAST), 1.0))


def half_brier(scores: Mapping[str, float], truth: str) -> float:
    """Half the sum of squares over all flags of one answer: a loss between 0 and 1."""
    return sum((score - (flag == truth)) ** 2 for flag, score in scores.items()) / 2


class PairedLosses:
    """Two models on the same outcomes, in the order in which they became known."""

    def __init__(self) -> None:
        self.count = 0
        self._mean = self._squares = 0.0  # of the differences in log loss (Welford)
        self._brier = self._strayed = 0.0  # of the differences in Brier score: sum, summed variance

    def add(self, new: Mapping[str, float], old: Mapping[str, float], truth: str) -> None:
        """Count one outcome that both models gave a probability to."""
        difference = loss(new, truth) - loss(old, truth)
        # each against the mean before it, which keeps the bound valid (Choe and Ramdas 2024)
        squared = half_brier(new, truth) - half_brier(old, truth)
        expected = self._brier / self.count if self.count else 0.0
        self._strayed += (squared - expected) ** 2
        self._brier += squared
        self.count += 1
        moved = difference - self._mean
        self._mean += moved / self.count
        self._squares += moved * (difference - self._mean)

    def interval(self) -> Interval | None:
        """The difference in log loss; None before FEWEST outcomes. It is asymptotic."""
        if self.count < FEWEST:
            return None
        reach = asymptotic_reach(self.count, self._squares / self.count)
        return Interval(self._mean, self._mean - reach, self._mean + reach, self.count, "log loss")

    def strict_interval(self) -> Interval | None:
        """The difference in Brier score, valid for any number; None before FEWEST_STRICT.

        An empirical Bernstein bound (Choe and Ramdas, Operations Research 2024, theorem 2). It
        takes ten times the outcomes for a small difference, and is the first to see a large one.
        """
        if self.count < FEWEST_STRICT:
            return None
        mean, reach = self._brier / self.count, stitched_boundary(self._strayed) / self.count
        return Interval(mean, mean - reach, mean + reach, self.count, "Brier score")

    def proof_of_worse(self, margin: float) -> Interval | None:
        """The interval that proves the new model worse by more than ``margin``, or None.

        Each of the two is wrong in at most 2.5 % of cases, so together in 5 %.
        """
        for found in (self.interval(), self.strict_interval()):
            if found and found.worse_by(margin):
                return found
        return None
