"""Inputs to compare two versions by: all combinations of values that both of them take."""

import itertools
import math
import random
from collections.abc import Iterable, Sequence
from typing import Any

from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.kinds import DATE, DATE_TIME, NUMBER, WHOLE
from predictor.artifacts.wrong_values import WrongValueError

MAX_INPUTS = 5_000  # of more, this many are drawn at random
MAX_NUMBERS = 200  # of one feature
STEPS = 7  # numbers tried between the bounds of a feature that takes any number
UNBOUNDED = (0, 1, 10, 100, 1_000)  # numbers tried where a feature has no bounds

Item = dict[str, Any]
Value = Any

# The values for the old and the new version; None where it has no such feature.
_Pair = tuple[Value | None, Value | None]


class SharedInputs:
    """Every combination of the values that two contracts share.

    A feature of only one contract, or without a shared value, keeps one value, and so do texts and
    lists of numbers: ``held`` names these features.
    """

    def __init__(self, old: Contract, new: Contract) -> None:
        olds, news = ({f.name: f for f in contract.features} for contract in (old, new))
        self._axes = {
            name: _pairs(olds.get(name), news.get(name)) for name in dict.fromkeys([*olds, *news])
        }
        self.cells = math.prod(map(len, self._axes.values()))
        self.held = [name for name, axis in self._axes.items() if len(axis) == 1]

    def items(self) -> list[tuple[Item, Item]]:
        """The combinations as items of the old and of the new version; at most MAX_INPUTS."""
        points: Iterable[Sequence[_Pair]] = itertools.product(*self._axes.values())
        if self.cells > MAX_INPUTS:
            draw = random.Random(0)  # noqa: S311 - the same sample every time is the point
            points = (
                [draw.choice(axis) for axis in self._axes.values()] for _ in range(MAX_INPUTS)
            )
        return [(self._item(point, 0), self._item(point, 1)) for point in points]

    def _item(self, point: Sequence[_Pair], side: int) -> Item:
        named = zip(self._axes, point, strict=True)
        return {name: pair[side] for name, pair in named if pair[side] is not None}


def _pairs(old: Feature | None, new: Feature | None) -> list[_Pair]:
    shared = list(_shared_values(old, new)) if old and new else []
    if shared:
        missing = [None] if old and new and old.missing and new.missing else []
        return [(value, value) for value in [*shared, *missing]]
    return [(_any_value(old), _any_value(new))]


def _shared_values(old: Feature, new: Feature) -> Sequence[Value]:
    if not {old.kind, new.kind} <= {NUMBER, WHOLE}:
        return _shared_choices(old, new)
    low = max(_stated(old.minimum, new.minimum), default=-math.inf)
    high = min(_stated(old.maximum, new.maximum), default=math.inf)
    if math.isinf(high - low):
        return [number for number in UNBOUNDED if low <= number <= high]
    if WHOLE not in (old.kind, new.kind):
        return _spaced(low, high)
    first, last = math.ceil(low), math.floor(high)
    return range(first, last + 1, max(1, (last - first) // MAX_NUMBERS))


def _spaced(low: float, high: float) -> list[float]:
    """Numbers from ``low`` to ``high``, both exactly; those between have few digits."""
    if low >= high:
        return [low] if low == high else []
    digits = 3 - math.floor(math.log10(high - low))
    shares = [step / (STEPS - 1) for step in range(1, STEPS - 1)]
    return [low, *(round(low + (high - low) * share, digits) for share in shares), high]


def _stated(*bounds: float | None) -> list[float]:
    return [bound for bound in bounds if bound is not None]


def _shared_choices(old: Feature, new: Feature) -> Sequence[Value]:
    if old.kind is not new.kind:
        return []
    if old.kind in (DATE, DATE_TIME):
        draw = random.Random(0)  # noqa: S311 - as above
        days = {*old.kind.declared(old), *(old.kind.sample(old, draw) for _ in range(STEPS))}
        return [day for day in sorted(map(str, days)) if _takes(new, day)]
    known = _choices(new)
    return [value for value in _choices(old) if value in known]


def _choices(feature: Feature) -> list[Value]:
    """All values of the feature; only one where they cannot be listed."""
    return [value for value, _ in feature.choices() or [(feature.example(), "")]]


def _takes(feature: Feature, value: Value) -> bool:
    try:
        feature.reader()(value)
    except WrongValueError:
        return False
    return True


def _any_value(feature: Feature | None) -> Value | None:
    return None if feature is None else feature.example()
