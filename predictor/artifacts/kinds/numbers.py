"""Numbers: any, or whole ones."""

import math
import random
from typing import Any

from predictor.artifacts.kinds.feature import Cell, Feature, Number, Reader
from predictor.artifacts.wrong_values import (
    WrongValueError,
    described,
    did_you_mean,
    number_in,
    short,
)

from .feature import Kind

_WHOLE = 2**63  # an int64 column holds whole numbers below this
_LAST = _WHOLE - 1024  # the largest float below it
_DIGITS = 1e15  # above it a float does not know its last ones


def _plain(number: Number) -> str:
    """``number`` with all digits that say something: 1234567 is not 1.23457e+06."""
    whole = isinstance(number, int) or (number.is_integer() and abs(number) < _DIGITS)
    return str(int(number)) if whole else f"{number:.12g}"


class AnyNumber(Kind):
    """A finite number; 4, 4.0 and 4e0 are one cell."""

    name = "number"
    widget = "number"
    words = "a number"
    json_type = "number"

    def dtype(self, feature: Feature) -> str:
        return "float64"

    def span(self, feature: Feature) -> str:
        low, high = feature.minimum, feature.maximum
        if low is not None and high is not None:
            return f"{self.words} from {_plain(low)} to {_plain(high)}"
        if low is not None:
            return f"{self.words}, {_plain(low)} or more"
        if high is not None:
            return f"{self.words}, {_plain(high)} or less"
        return self.words

    def reader(self, feature: Feature) -> Reader:
        span, low, high = self.span(feature), feature.minimum, feature.maximum
        by_name = {shown.casefold(): number for number, shown in feature.named.items()}
        cell_of = self._cell

        def read(value: Any) -> Cell:
            # a bool is an int in Python, but true is not a number in JSON
            if type(value) is not int and type(value) is not float:
                raise _no_number(value, span, by_name)
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if not math.isfinite(number):
                raise WrongValueError(f"expected {span}; this number is not finite or is too large")
            cell = cell_of(value, number, span)
            if (low is not None and number < low) or (high is not None and number > high):
                raise WrongValueError(f"expected {span}, not {short(value)}")
            return cell

        return read

    @staticmethod
    def _cell(value: Number, number: float, span: str) -> Cell:
        return number + 0.0  # -0.0 and 0.0 are equal: one key in every cache

    def from_text(self, feature: Feature, text: str) -> Any:
        return number_from_text(text)

    def schema(self, feature: Feature) -> dict[str, Any]:
        bounds = {"minimum": feature.minimum, "maximum": feature.maximum}
        given = {key: bound for key, bound in bounds.items() if bound is not None}
        return {"type": self.json_type, **given}

    def example(self, feature: Feature) -> Number:
        bounds = (feature.minimum, feature.maximum)
        return next((bound for bound in bounds if bound is not None), 0)

    def choices(self, feature: Feature) -> list[tuple[Any, str]] | None:
        return list(feature.named.items()) or None

    def shown(self, feature: Feature, value: Any) -> str:
        return feature.named.get(value, _plain(value))

    def declared(self, feature: Feature) -> list[Cell]:
        given = (feature.default, feature.minimum, feature.maximum)
        return [float(value) for value in given if value is not None]

    def sample(self, feature: Feature, chance: random.Random) -> Cell:
        low, high = feature.minimum, feature.maximum
        if low is None or high is None:
            return chance.choice([-1, 1]) * 10 ** chance.uniform(-3, 6)
        share = chance.random()
        return low * (1 - share) + high * share  # the difference itself may overflow a float


def whole_bounds(feature: Feature) -> tuple[int, int]:
    """The smallest and the largest whole number allowed, within what its column can hold."""
    low, high = feature.minimum, feature.maximum
    first = -_WHOLE if low is None else max(math.ceil(low), -_WHOLE)
    last = _LAST if high is None else min(math.floor(high), _LAST)
    return first, last


class WholeNumber(AnyNumber):
    """A whole number of 64 bits, in an int64 column, or float64 where values may be missing."""

    name = "integer"
    words = "a whole number"
    json_type = "integer"

    def dtype(self, feature: Feature) -> str:
        return "float64" if feature.missing else "int64"

    @staticmethod
    def _cell(value: Number, number: float, span: str) -> Cell:
        if not number.is_integer():
            raise WrongValueError(f"expected {span}, not {_plain(value)}")
        if not -_WHOLE <= number < _WHOLE:
            raise WrongValueError(f"expected {span}; this number is too large")
        return int(value)

    def example(self, feature: Feature) -> Number:
        first, last = whole_bounds(feature)
        if feature.minimum is not None:
            return first
        return last if feature.maximum is not None else 0

    def steps(self, feature: Feature, most: int) -> list[tuple[Any, str]] | None:
        low, high = feature.minimum, feature.maximum
        if feature.named or low is None or high is None or high - low > most:
            return self.choices(feature)
        return [(number, str(number)) for number in range(math.ceil(low), math.floor(high) + 1)]

    def count(self, feature: Feature) -> int:
        if feature.minimum is None or feature.maximum is None:
            return 0
        return max(0, math.floor(feature.maximum) - math.ceil(feature.minimum) + 1)

    def cells(self, feature: Feature) -> tuple[Cell, ...]:
        first = math.ceil(feature.minimum or 0)
        return tuple(range(first, first + self.count(feature)))

    def declared(self, feature: Feature) -> list[Cell]:
        low, high = feature.minimum, feature.maximum
        return [
            *([int(feature.default)] if feature.default is not None else []),
            *([math.ceil(low)] if low is not None else []),
            *([math.floor(high)] if high is not None else []),
        ]

    def sample(self, feature: Feature, chance: random.Random) -> Cell:
        number = super().sample(feature, chance)
        assert isinstance(number, float)  # noqa: S101 - for mypy
        return round(number)


def _no_number(value: Any, span: str, by_name: dict[str, Number]) -> WrongValueError:
    guess = by_name.get(value.casefold()) if isinstance(value, str) else None
    if guess is None and isinstance(value, str) and value.isascii():
        guess = number_in(value)
    return WrongValueError(f"expected {span}, not {described(value)}{did_you_mean(guess)}", guess)


def number_from_text(text: str) -> Any:
    """The number that ``text`` spells, else ``text`` itself."""
    if "_" in text:  # Python reads 1_0 as ten; most other languages do not
        return text
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
