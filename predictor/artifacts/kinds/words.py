"""Free text, and yes or no."""

import random
from collections.abc import Sequence
from typing import Any

from predictor.artifacts.kinds.feature import Cell, Feature, Reader
from predictor.artifacts.untrusted import is_clean
from predictor.artifacts.wrong_values import (
    WrongValueError,
    described,
    did_you_mean,
)

from .feature import Kind

# Yes and no as people, spreadsheets (German ones too) and pandas write them.
_TRUE, _FALSE = (
    ["true", "1", "1.0", "yes", "y", "t", "on", "wahr", "ja"],
    ["false", "0", "0.0", "no", "n", "f", "off", "falsch", "nein"],
)
_SPELT = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)


def truths_among(texts: Sequence[str]) -> list[str]:
    """The text for false and the text for true; empty unless there is exactly one of each."""
    found = [[text for text in texts if _SPELT.get(text.strip().casefold()) is truth]
             for truth in (False, True)]  # fmt: skip
    return [one[0] for one in found] if [len(one) for one in found] == [1, 1] else []


_MOST_SHOWN = 120  # characters of a text


class Text(Kind):
    """Any text of up to ``feature.max_length`` characters; what-if charts never vary it."""

    name = "text"
    widget = "text"
    parameter = ""
    empty = True

    def dtype(self, feature: Feature) -> str:
        return "object"

    def span(self, feature: Feature) -> str:
        return f"text of at most {feature.max_length:,} characters"

    def reader(self, feature: Feature) -> Reader:
        span, most = self.span(feature), feature.max_length

        def read(value: Any) -> Cell:
            if not isinstance(value, str):
                raise WrongValueError(f"expected {span}, not {described(value)}")
            if len(value) > most:
                raise WrongValueError(f"expected {span}, not {len(value):,}")
            if not is_clean(value, breaks="\n\r\t"):
                raise WrongValueError(f"expected {span}, without control characters")
            return value

        return read

    def schema(self, feature: Feature) -> dict[str, Any]:
        return {"type": "string", "maxLength": feature.max_length}

    def example(self, feature: Feature) -> str:
        return "the quick brown fox"[: feature.max_length]

    def shown(self, feature: Feature, value: Any) -> str:
        return value if len(value) <= _MOST_SHOWN else f"{value[: _MOST_SHOWN - 1]}…"

    def counted(self, value: Any) -> Any:
        return len(value)


class Boolean(Kind):
    """``true`` or ``false``."""

    name = "boolean"
    widget = "choice"
    parameter = False

    def dtype(self, feature: Feature) -> str:
        return "object" if feature.missing or feature.truths else "bool"

    def span(self, feature: Feature) -> str:
        return "true or false"

    def reader(self, feature: Feature) -> Reader:
        def read(value: Any) -> Cell:
            if isinstance(value, bool):
                return value
            guess = _SPELT.get(str(value).strip().casefold())
            raise WrongValueError(
                f"expected true or false, not {described(value)}{did_you_mean(guess)}", guess
            )

        return read

    def from_text(self, feature: Feature, text: str) -> Any:
        return _SPELT.get(text.strip().casefold(), text)

    def schema(self, feature: Feature) -> dict[str, Any]:
        return {"type": "boolean"}

    def example(self, feature: Feature) -> bool:
        return False

    def choices(self, feature: Feature) -> list[tuple[Any, str]] | None:
        return [(value, self.shown(feature, value)) for value in (True, False)]

    def shown(self, feature: Feature, value: Any) -> str:
        return feature.label_titles.get(str(value).lower(), "yes" if value else "no")

    def counted(self, value: Any) -> Any:
        return str(value).lower()

    def count(self, feature: Feature) -> int:
        return 2

    def cells(self, feature: Feature) -> tuple[Cell, ...]:
        return (False, True)

    def declared(self, feature: Feature) -> list[Cell]:
        return [False, True]

    def sample(self, feature: Feature, chance: random.Random) -> Cell:
        return chance.random() < 0.5
