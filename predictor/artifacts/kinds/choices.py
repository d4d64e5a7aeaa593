"""Choices: one of a list of labels, passed to the estimator as a code or as the label."""

import random
import unicodedata
from collections.abc import Mapping
from typing import Any

from predictor.artifacts.kinds.feature import Cell, Feature, Reader
from predictor.artifacts.untrusted import MAX_TEXT, is_clean
from predictor.artifacts.wrong_values import (
    UnknownLabelError,
    WrongValueError,
    described,
)

from .feature import Kind


class Choice(Kind):
    """One of the feature's labels; ``feature.labels`` maps each to its cell."""

    name = "choice"
    widget = "open"

    def params(self, feature: Feature) -> Any:
        return list(_labels(feature))

    def dtype(self, feature: Feature) -> str:
        texts = any(isinstance(cell, str) for cell in _labels(feature).values())
        return "object" if texts else "float64"

    def span(self, feature: Feature) -> str:
        return "a label of the feature"

    def reader(self, feature: Feature) -> Reader:
        cells = dict(_labels(feature))
        composed = {unicodedata.normalize("NFC", label): cell for label, cell in cells.items()}

        def read(value: Any) -> Cell:
            if isinstance(value, str):
                cell = cells.get(value)
                if cell is not None:
                    return cell
                return self._other(feature, value, composed)
            raise WrongValueError(f"expected a label in quotes, not {described(value)}")

        return read

    def _other(self, feature: Feature, value: str, composed: dict[str, Cell]) -> Cell:
        """The cell of a text that is not exactly a label of the lookup."""
        normal = unicodedata.normalize("NFC", value) if len(value) <= MAX_TEXT else value
        cell = composed.get(normal)
        if cell is not None:
            return cell
        passed_on = feature.open and self.dtype(feature) == "object"
        if not passed_on:
            raise UnknownLabelError(value, _labels(feature), feature.unlisted, feature.fallback)
        if not value.strip() or len(value) > MAX_TEXT or not is_clean(value):
            raise WrongValueError(f"expected a label of at most {MAX_TEXT} printable characters")
        return normal

    def schema(self, feature: Feature) -> dict[str, Any]:
        labels = list(_labels(feature))
        if feature.open:
            return {"type": "string", "minLength": 1, "maxLength": MAX_TEXT, "examples": labels}
        return {"type": "string", "enum": labels}

    def example(self, feature: Feature) -> str:
        return next(iter(_labels(feature)))

    def accepts_default(self, feature: Feature) -> bool:
        return isinstance(feature.default, str) and feature.default in _labels(feature)

    def choices(self, feature: Feature) -> list[tuple[Any, str]] | None:
        return [(label, feature.label_titles.get(label, label)) for label in _labels(feature)]

    def shown(self, feature: Feature, value: Any) -> str:
        return feature.label_titles.get(value, str(value))

    def count(self, feature: Feature) -> int:
        return 0 if feature.open else len(_labels(feature))

    def cells(self, feature: Feature) -> tuple[Cell, ...]:
        return tuple(dict.fromkeys(_labels(feature).values()))

    def declared(self, feature: Feature) -> list[Cell]:
        return list(_labels(feature).values())

    def sample(self, feature: Feature, chance: random.Random) -> Cell:
        return chance.choice(list(_labels(feature).values()))


def _labels(feature: Feature) -> Mapping[str, Cell]:
    return feature.labels or {}
