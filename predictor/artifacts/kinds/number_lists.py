"""Lists of a fixed number of numbers."""

import json
import random
from typing import Any

from predictor.artifacts.kinds.feature import Cell, Feature, Number, Reader
from predictor.artifacts.wrong_values import (
    WrongValueError,
    described,
)

from .feature import Kind
from .numbers import AnyNumber, number_from_text

_NUMBER = AnyNumber()


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
        numbers = [number_from_text(part) for part in parts]
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
