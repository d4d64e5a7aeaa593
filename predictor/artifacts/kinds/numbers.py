"""Numbers: any, or whole ones, and lists of a fixed number of them."""

import json
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
        return _number_from_text(text)

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


class Numbers(Kind):
    """A list of exactly ``feature.size`` numbers, each a column of the estimator."""

    name = "numbers"

    def params(self, feature: Feature) -> Any:
        return []

    def dtype(self, feature: Feature) -> str:
        return "float64"

    def span(self, feature: Feature) -> str:
        return f"a list of {feature.size:,} numbers"

    def reader(self, feature: Feature) -> Reader:
        span, size = self.span(feature), feature.size
        read_one = _NUMBER.reader(feature)

        def read(value: Any) -> Cell:
            if not isinstance(value, list):
                raise WrongValueError(f"expected {span}, not {described(value)}")
            if len(value) != size:
                raise WrongValueError(f"expected {span}, not {len(value):,}")
            try:
                return tuple([float(read_one(number)) for number in value])  # type: ignore[arg-type]
            except WrongValueError as wrong:
                raise WrongValueError(f"in the list: {wrong.message}") from None

        return read

    def from_text(self, feature: Feature, text: str) -> Any:
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, list):
            return found
        parts = text.replace(",", " ").replace(";", " ").split()
        numbers = [_number_from_text(part) for part in parts]
        return text if not numbers or any(isinstance(n, str) for n in numbers) else numbers

    def schema(self, feature: Feature) -> dict[str, Any]:
        items = _NUMBER.schema(feature)
        return {
            "type": "array",
            "items": items,
            "minItems": feature.size,
            "maxItems": feature.size,
        }

    def example(self, feature: Feature) -> list[Number]:
        return [_NUMBER.example(feature)] * feature.size

    def shown(self, feature: Feature, value: Any) -> str:
        few = ", ".join(f"{number:g}" for number in value[:4])
        return few if len(value) <= 4 else f"{few}, … ({len(value)})"

    def counted(self, value: Any) -> Any:
        return None

    def declared(self, feature: Feature) -> list[Cell]:
        bounds = [float(n) for n in (feature.minimum, feature.maximum) if n is not None] or [0.0]
        given = [] if feature.default is None else [tuple(map(float, feature.default))]
        return [*given, *((bound,) * feature.size for bound in bounds)]

    def sample(self, feature: Feature, chance: random.Random) -> Cell:
        cells = [_NUMBER.sample(feature, chance) for _ in range(feature.size)]
        return tuple(cell for cell in cells if isinstance(cell, float))


def _no_number(value: Any, span: str, by_name: dict[str, Number]) -> WrongValueError:
    guess = by_name.get(value.casefold()) if isinstance(value, str) else None
    if guess is None and isinstance(value, str) and value.isascii():
        guess = number_in(value)
    return WrongValueError(f"expected {span}, not {described(value)}{did_you_mean(guess)}", guess)


def _number_from_text(text: str) -> Any:
    if "_" in text:  # Python reads 1_0 as ten; most other languages do not
        return text
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


_NUMBER = AnyNumber()
