"""Each selector's exact part in one answer, from a table of all answers.

Each axis of the table gets one more cell, "unknown": the mean over the axis, weighted by the
training data's shares. The answer of a model that knows only some selectors is then one lookup,
and each selector's part is its Shapley value (Shapley, A value for n-person games, 1953): what it
adds when it becomes known, averaged over all orders. Parts are differences of the scores that
people see, so they add up to these.
"""

import itertools
import math
import operator
import random
from array import array
from collections.abc import Sequence
from operator import mul

from predictor.artifacts.inputs import Row
from predictor.artifacts.table import Table

MOST_SELECTORS = 12  # beyond, there are too many coalitions for one request
MOST_SCORES = 200_000  # of an extended table: a tenth of a second, and 2 MB
_EFFORT = 100_000  # scores to read for the ranking of selectors
Weights = Sequence[Sequence[float]]  # per axis one per cell, which add up to 1
Scores = list[float]  # one per flag


def fits(table: Table) -> bool:
    """Whether ``table`` is small enough for a worker to extend between requests."""
    sizes = [len(axis) + 1 for axis in table.grid.axes]
    return len(sizes) <= MOST_SELECTORS and math.prod(sizes) * table.width <= MOST_SCORES


class Coalitions:
    """A table extended by cells for unknown values."""

    def __init__(self, table: Table, weights: Weights) -> None:
        self._flags = table.width
        self._axes = table.grid.axes
        self._weights = weights
        self._places = [{cell: at for at, cell in enumerate(axis)} for axis in self._axes]
        self._scores = _extended(table, weights)
        sizes = [len(axis) + 1 for axis in self._axes]
        self._strides = [math.prod(sizes[at + 1 :]) * self._flags for at in range(len(sizes))]

    def known(self, row: Row, which: Sequence[bool], stand_ins: Row | None = None) -> Scores:
        """The mean scores where only some cells of ``row`` are known.

        An unknown cell has its value in ``stand_ins``, unless that is None.
        """
        at = 0
        for axis, known in enumerate(which):
            stand_in = stand_ins[axis] if stand_ins else None
            cell = row[axis] if known else stand_in
            unknown = not known and stand_in is None
            place = len(self._axes[axis]) if unknown else self._places[axis][cell]
            at += place * self._strides[axis]
        return self._scores[at : at + self._flags].tolist()

    def parts(self, row: Row) -> list[Scores]:
        """Each selector's Shapley value for each flag; with ``known`` of no cell they add up."""
        count = len(row)
        moves = [
            (self._places[axis][cell] - len(self._axes[axis])) * self._strides[axis]
            for axis, cell in enumerate(row)
        ]
        nothing = sum(map(operator.mul, map(len, self._axes), self._strides))
        places = [nothing]  # of every coalition, in which selector i is known if bit i is set
        for move in moves:
            places += [place + move for place in places]
        share = [1 / (count * math.comb(count - 1, size)) for size in range(count)]
        sizes = list(map(int.bit_count, range(len(places))))
        return [
            [
                math.fsum(
                    share[sizes[number]]
                    * (self._scores[places[number | bit] + flag] - self._scores[place + flag])
                    for number, place in enumerate(places)
                    if not number & bit
                )
                for flag in range(self._flags)
            ]
            for bit in (1 << axis for axis in range(count))
        ]

    def importance(self) -> list[float]:
        """Each selector's mean size of its part, over flags, and cases weighted by training shares.

        Over all possible cases or, if there are many, over a random sample.
        """
        count = len(self._axes)
        effort = count * 2**count * self._flags
        cases = math.prod(map(len, self._axes))
        if cases * effort <= _EFFORT:
            weighted = zip(
                itertools.product(*self._axes),
                map(math.prod, itertools.product(*self._weights)),
                strict=True,
            )
        else:
            chance = random.Random(0)  # noqa: S311 - the same cases every time
            drawn = max(1, _EFFORT // effort)
            rows = [
                chance.choices(axis, weights, k=drawn)
                for axis, weights in zip(self._axes, self._weights, strict=True)
            ]
            weighted = zip(zip(*rows, strict=True), itertools.repeat(1 / drawn), strict=False)
        sums = [0.0] * count
        for row, weight in weighted:
            for axis, scores in enumerate(self.parts(tuple(row)) if weight else ()):
                sums[axis] += weight * sum(map(abs, scores)) / self._flags
        return sums


def _extended(table: Table, weights: Weights) -> "array[float]":
    """The table's scores with an unknown cell at the end of each axis."""
    scores = array("d", table.scores)
    inner = len(scores)
    for axis, shares in zip(table.grid.axes, weights, strict=True):
        inner //= len(axis)
        longer = array("d")
        for begin in range(0, len(scores), inner * len(axis)):
            block = scores[begin : begin + inner * len(axis)]
            slabs = [block[at : at + inner] for at in range(0, len(block), inner)]
            longer += block
            longer.extend(sum(map(mul, shares, column)) for column in zip(*slabs, strict=True))
        scores = longer
    return scores
