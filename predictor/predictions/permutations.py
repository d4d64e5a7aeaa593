"""Each selector's part in one answer, estimated by scoring: for models without a table.

A case of the background is changed into the case in question one selector at a time, in a random
order and in its reverse. What each change adds, averaged over many such pairs, estimates the
Shapley value (Castro, Gómez and Tejada 2009; pairs: Mitchell, Cooper, Frank and Holmes 2022); the
spread between pairs gives the error.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from predictor.artifacts.inputs import Row
from predictor.artifacts.scores import Scores

PAIRS = 200
FEWEST_PAIRS = 20  # fewer give too poor an estimate of their error
_ROWS = 128  # per call, so that predictions in between wait only milliseconds
_95 = 1.96  # standard errors of a normal distribution
_ROUNDING = 1e-12  # of the mean: a smaller spread counts as none

Ask = Callable[[Sequence[Row]], Scores]


@dataclass(frozen=True)
class Estimate:
    """A mean per flag, and the error that 95 of 100 estimates stay within."""

    mean: list[float]
    within: list[float]


@dataclass(frozen=True)
class Sampled:
    """The parts of one answer, which ``base`` and ``parts`` add up to."""

    base: Estimate
    parts: list[Estimate]  # per selector
    pairs: int


def sampled_parts(
    ask: Ask,
    row: Row,
    draw: Callable[[random.Random], Row],
    chance: random.Random,
    late: Callable[[], bool],
) -> Sampled:
    """Score walks from cases of ``draw`` to ``row``, PAIRS times or until it is ``late``."""
    taken: list[list[list[float]]] = []  # pair → selector, with the base at the end → flag
    together = max(1, _ROWS // (2 * len(row)))
    while len(taken) < PAIRS and not (late() and taken):
        walks = [_pair(row, draw(chance), chance) for _ in range(min(together, PAIRS - len(taken)))]
        scores = iter(ask([step for walk in walks for step in walk.rows]))
        taken += [walk.parts([next(scores) for _ in walk.rows]) for walk in walks]
    *parts, base = (_estimate(list(column)) for column in zip(*taken, strict=True))
    return Sampled(base, parts, len(taken))


def sampled_ladder(
    ask: Ask, row: Row, order: Sequence[int], background: Sequence[Row]
) -> list[Estimate]:
    """The mean answer over ``background`` where none, one, two … of ``order`` are as in ``row``."""
    found = []
    mixed = [list(other) for other in background]
    for known in range(len(order) + 1):
        if known:
            for case in mixed:
                case[order[known - 1]] = row[order[known - 1]]
        rows = [tuple(case) for case in mixed]
        parts = [ask(rows[at : at + _ROWS]) for at in range(0, len(rows), _ROWS)]
        found.append(_estimate([list(scores) for part in parts for scores in part]))
    return found


@dataclass(frozen=True)
class _Pair:
    """The rows of a walk in one order, and of a second in the reverse order."""

    order: list[int]
    rows: list[Row]

    def parts(self, scores: Sequence[Sequence[float]]) -> list[list[float]]:
        """What each selector added, as the mean of both walks; last, the score at their start."""
        count = len(self.order)
        first, last = scores[0], scores[count]
        forth = scores[: count + 1]
        back = [first, *scores[count + 1 :], last]
        added: list[list[float]] = [[]] * count
        for at, selector in enumerate(self.order):
            mirrored = count - 1 - at
            added[selector] = [
                (b - a + d - c) / 2
                for a, b, c, d in zip(
                    forth[at], forth[at + 1], back[mirrored], back[mirrored + 1], strict=True
                )
            ]
        return [*added, list(first)]


def _pair(row: Row, other: Row, chance: random.Random) -> _Pair:
    order = list(range(len(row)))
    chance.shuffle(order)
    forth = list(_walk(row, other, order))
    back = list(_walk(row, other, order[::-1]))
    return _Pair(order, [*forth, *back[1:-1]])


def _walk(row: Row, other: Row, order: Sequence[int]) -> Iterator[Row]:
    """From ``other`` to ``row``, one cell at a time."""
    case = list(other)
    yield other
    for selector in order:
        case[selector] = row[selector]
        yield tuple(case)


def _estimate(samples: Sequence[Sequence[float]]) -> Estimate:
    """The mean of each column, and 1.96 of its standard errors."""
    count = len(samples)
    means, within = [], []
    for column in zip(*samples, strict=True):
        mean = math.fsum(column) / count
        spread = math.fsum((value - mean) ** 2 for value in column)
        means.append(mean)
        error = _95 * math.sqrt(spread / (count - 1) / count) if count > 1 else math.inf
        within.append(error if error > _ROUNDING * abs(mean) else 0.0)
    return Estimate(means, within)
