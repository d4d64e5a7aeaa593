"""Whether two populations are the same: how far apart they are, and whether that may be chance.

A population is a count of each kind; counts may be weighted. Plain arithmetic, so that the server
and Spark get the same figures.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LEAST = 1e-4  # a share of 0 counts as this, or one unseen kind would make the index infinite
_LEAST_EXPECTED = 5  # Cochran's rule: rarer kinds are merged for chi-square

Counts = Mapping[str, float]


class Population(NamedTuple):
    """Shares of kinds, and the number of independent answers behind them."""

    shares: Counts
    size: float  # math.inf where the shares are exact


class Shift(NamedTuple):
    """The population stability index, and a test of whether chance alone explains it."""

    psi: float
    chi_square: float
    p_value: float


def population(kinds: Sequence[str], weights: Sequence[float]) -> Population:
    """The shares of ``kinds``, each counted with its weight.

    The size is Kish's: (sum of w)^2 / sum of w^2 (Survey Sampling, 1965, section 11.2).
    """
    counts: dict[str, float] = {}
    for kind, weight in zip(kinds, weights, strict=True):
        counts[kind] = counts.get(kind, 0.0) + weight
    total = sum(weights)
    size = total**2 / sum(weight**2 for weight in weights) if total else 0.0
    return Population({kind: count / total for kind, count in counts.items()}, size)


def shift(asked: Population, expected: Population) -> Shift:
    """How far ``asked`` is from ``expected``; neither may be empty.

    The index is the sum of (a - e) ln(a / e) over the shares asked, a, and expected, e (Siddiqi,
    Credit Risk Scorecards, 2006: below 0.1 steady, above 0.25 a different population). The chance
    is that of Pearson's two-sample test: chi-square = n m / (n + m) * sum of (a - e)^2 / p, with p
    the shares of both together; where the expected shares are exact it is the one-sample test.
    """
    n, m = asked.size, expected.size
    weight = 0.0 if math.isinf(m) else n / (n + m)  # of the asked in both together
    scale = n * (1 - weight)
    index = chi_square = rare_a = rare_e = rare_p = 0.0
    kinds = 0
    for kind in asked.shares.keys() | expected.shares.keys():
        a, e = asked.shares.get(kind, 0.0), expected.shares.get(kind, 0.0)
        least_a, least_e = max(a, LEAST), max(e, LEAST)
        index += (least_a - least_e) * math.log(least_a / least_e)
        p = weight * a + (1 - weight) * max(e, LEAST if math.isinf(m) else 0.0)
        if p * min(n, m) < _LEAST_EXPECTED:
            rare_a, rare_e, rare_p = rare_a + a, rare_e + e, rare_p + p
        else:
            chi_square += (a - e) ** 2 / p
            kinds += 1
    if rare_p:
        chi_square += (rare_a - rare_e) ** 2 / rare_p
        kinds += 1
    return Shift(index, scale * chi_square, chance(scale * chi_square, kinds - 1))


def corrected(p_values: Sequence[float]) -> list[float]:
    """P-values of many tests made together, corrected for their number.

    Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    found, highest = [1.0] * len(p_values), 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[at]))
        found[at] = highest
    return found


def chance(chi_square: float, degrees: int) -> float:
    """The probability of this chi-square or a greater one, by its finite sum.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.4.4 and 26.4.5.
    """
    if degrees < 1 or chi_square <= 0:
        return 1.0
    half = chi_square / 2
    odd = degrees % 2
    powers = (k / 2 for k in range(odd, degrees, 2))  # ½, 1½, … or 0, 1, …: below degrees / 2
    terms = (math.exp(k * math.log(half) - half - math.lgamma(k + 1)) for k in powers)
    return min(1.0, (math.erfc(math.sqrt(half)) if odd else 0.0) + math.fsum(terms))
