"""Rows that a contract allows: a few to try a model with, a random sample, or all of them."""

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .contract import Contract, Feature
from .inputs import Cell, Row
from .kinds import NUMBER, NUMBERS, WHOLE
from .wrong_values import WrongValueError

_MAX_BYTES = 64 * 2**20  # of the scores of a whole grid
_GUESSES = (0, 1, 100)  # for numbers of which nothing is known
_MISSING = 0.1  # share of sampled values that are missing, where they may be
_MIXED = 100  # rows of random values, in case values in step do not go together


def trial_rows(contract: Contract, values: Mapping[str, Sequence[Cell]]) -> Iterator[Row]:
    """Valid rows, one of which a working model can score.

    ``values`` by feature are values that the estimator is likely to know; numbers of which nothing
    is known are guessed.
    """
    known = [trial_cells(feature, values.get(feature.name, ())) for feature in contract.features]
    for turn in range(min(_MIXED, max(map(len, known)))):
        yield tuple(cells[turn % len(cells)] for cells in known)
    chance = random.Random(0)  # noqa: S311 - the same rows every time
    if max(map(len, known)) > 1:
        for _ in range(_MIXED):
            yield tuple(chance.choice(cells) for cells in known)


def trial_cells(feature: Feature, values: Sequence[Cell] = ()) -> list[Cell]:
    """Valid cells for ``feature``, the likeliest first."""
    declared = feature.kind.declared(feature)
    guessed: list[Cell] = []
    if feature.kind in (NUMBER, WHOLE) and not declared:
        guessed = [cell for guess in _GUESSES for cell in _fitting(feature, guess)]
    fitting = [cell for value in values for cell in _fitting(feature, value)]
    # the contract's own values first: people send these
    return list(dict.fromkeys([*declared, *fitting, *guessed]))


def _fitting(feature: Feature, value: Cell) -> list[Cell]:
    """The cell of a value that the estimator knows, if the contract allows it."""
    if feature.is_choice or (isinstance(value, float) and not math.isfinite(value)):
        return []
    if feature.kind is WHOLE and isinstance(value, float):
        value = round(value)
    try:
        return [feature.kind.reader(feature)([value] * feature.size if feature.kind is NUMBERS
                                             else value)]  # fmt: skip
    except WrongValueError:
        return []


def sample_rows(features: Sequence[Feature], count: int) -> Iterator[Row]:
    """Random rows; numbers without bounds are of every order of magnitude."""
    chance = random.Random(0)  # noqa: S311 - the same rows every time
    for _ in range(count):
        yield tuple(
            None if feature.missing and chance.random() < _MISSING
            else feature.kind.sample(feature, chance)
            for feature in features
        )  # fmt: skip


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
        span = feature.count()
        size *= span
        if not span or size > _MAX_BYTES or size > most * len(contract.flags) * 8:
            return None
        axes.append(feature.cells())
    return Grid(tuple(axes))
