"""The points of a curve: between a feature's bounds, or over the range of the training data."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from predictor.artifacts.baseline import trained_shares
from predictor.artifacts.contract import Contract, Feature, Number
from predictor.artifacts.kinds import NUMBER, WHOLE

_NICE = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)  # a step is one of these, times a power of ten

_LEAST, _GREATEST = -(2**63), 2**63 - 1024  # exact as a float, and within 64 bits


@dataclass(frozen=True, slots=True)
class Range:
    """The range in which a number is varied, and its source."""

    low: Number
    high: Number
    source: Literal["bounds", "training"]

    def holds(self, value: Any) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


def range_of(contract: Contract, feature: Feature) -> Range | None:
    """From bound to bound, else from the least to the greatest value in training.

    None where neither is known, and for a feature that is not a number.
    """
    if feature.kind not in (NUMBER, WHOLE):
        return None
    low, high = feature.minimum, feature.maximum
    if low is not None and high is not None:
        return _whole(low, high) if feature.kind is WHOLE else Range(low, high, "bounds")
    trained = [value for value in trained_shares(contract, feature) if value is not None]
    return Range(min(trained), max(trained), "training") if trained else None


def points_in(feature: Feature, span: Range, most: int) -> list[Number]:
    """At most ``most`` values of ``feature``: both ends of ``span``, and round numbers between."""
    step = _step(span, most - 1)
    if feature.kind is WHOLE:
        return _whole_points(int(span.low), int(span.high), max(math.ceil(step), 1))
    if not step:
        return [span.low]
    places = max(0, 1 - math.floor(math.log10(step)))
    first, last = math.ceil(span.low / step), math.floor(span.high / step)
    inner = (_plain(round(n * step, places)) for n in range(first, last + 1))
    return sorted({span.low, *(p for p in inner if span.low < p < span.high), span.high})


def _plain(number: float) -> Number:
    """A whole number as people write it: 60, not 60.0."""
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _step(span: Range, steps: int) -> float:
    """The shortest round step of which at most ``steps`` fit into ``span``; 0 for a point."""
    raw = span.high / steps - span.low / steps  # the difference itself may overflow a float
    if raw <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(raw))
    return power * next((n for n in _NICE if n * power >= raw * (1 - 1e-9)), 10)


def _whole(low: float, high: float) -> Range | None:
    """The whole numbers between two bounds that a column can hold."""
    first, last = max(math.ceil(low), _LEAST), min(math.floor(high), _GREATEST)
    return Range(first, last, "bounds") if first <= last else None


def _whole_points(first: int, last: int, step: int) -> list[Number]:
    return sorted({first, *range(-(-first // step) * step, last + 1, step), last})
