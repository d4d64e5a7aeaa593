"""Rows that a contract allows: one to try a model with, some from all over, or all there are."""

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .contract import Contract, Feature
from .inputs import Cell, Row

_MAX_BYTES = 64 * 2**20  # of the scores of a whole grid


def trial_rows(contract: Contract) -> Iterator[Row]:
    """Valid rows, one of which a working model can score: numbers without bounds are guessed."""
    for guess in (0, 1, 100):
        yield tuple(trial_cell(feature, guess) for feature in contract.features)


def trial_cell(feature: Feature, guess: int = 0) -> Cell:
    """A valid cell for ``feature``; ``guess`` is for a number that nothing is known about."""
    if feature.labels is not None:
        label, code = next(iter(feature.labels.items()))
        return label if feature.passed_as == "label" else code
    if isinstance(feature.default, int | float):
        return feature.default
    low, high = feature.minimum, feature.maximum
    if low is not None:
        return math.ceil(low) if feature.integer else low
    if high is not None:
        return math.floor(high) if feature.integer else high
    return guess


def sample_rows(features: Sequence[Feature], count: int) -> Iterator[Row]:
    """Rows from all over: numbers without bounds come in every order of magnitude."""
    chance = random.Random(0)  # noqa: S311 - the same rows every time
    for _ in range(count):
        yield tuple(_sample_cell(feature, chance) for feature in features)


def _sample_cell(feature: Feature, chance: random.Random) -> Cell:
    if feature.labels is not None:
        return chance.choice(list(feature.labels.values()))
    low, high = feature.minimum, feature.maximum
    if low is not None and high is not None:
        share = chance.random()
        value = low * (1 - share) + high * share  # their difference may be beyond any float
    else:
        value = chance.choice([-1, 1]) * 10 ** chance.uniform(-3, 6)
    return round(value) if feature.integer else value


@dataclass(frozen=True)
class Grid:
    """All rows a contract allows: the product of each feature's possible cells."""

    axes: tuple[tuple[Cell, ...], ...]

    @property
    def size(self) -> int:
        return math.prod(map(len, self.axes))

    def rows(self) -> Iterator[Row]:
        """All rows, the last feature changing fastest."""
        return itertools.product(*self.axes)


def grid_of(contract: Contract, most: int) -> Grid | None:
    """The grid of ``contract``; None when there is none, or it has more than ``most`` rows."""
    axes = []
    size = len(contract.flags) * 8
    for feature in contract.features:
        span = _span(feature)
        size *= span
        if not span or size > _MAX_BYTES or size > most * len(contract.flags) * 8:
            return None
        axes.append(_axis(feature))
    return Grid(tuple(axes))


def _span(feature: Feature) -> int:
    """How many cells a feature may have; 0 when they cannot be counted."""
    if feature.labels is not None:
        return len(feature.labels)
    if not feature.integer or feature.minimum is None or feature.maximum is None:
        return 0
    return max(0, math.floor(feature.maximum) - math.ceil(feature.minimum) + 1)


def _axis(feature: Feature) -> tuple[Cell, ...]:
    if feature.labels is not None:
        cells = feature.labels if feature.passed_as == "label" else feature.labels.values()
        return tuple(dict.fromkeys(cells))
    assert feature.minimum is not None  # noqa: S101 - _span has seen to it, for mypy
    first = math.ceil(feature.minimum)
    return tuple(range(first, first + _span(feature)))
