"""Dates and moments, in ISO 8601.

The estimator gets columns of datetime64, of nanoseconds unless it has learnt another unit.
"""

import random
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from predictor.artifacts.kinds.feature import Cell, Feature, Reader
from predictor.artifacts.wrong_values import WrongValueError, described, did_you_mean

from .feature import Kind

# The whole years that 64 bits of nanoseconds can hold.
_EARLIEST, _LATEST = "1678-01-01", "2261-12-31"
_MAX_TEXT = 40
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?", re.ASCII)


# Units of datetime64, and how many of them a day has.
_UNITS = {"D": 1, "s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_MOST_DAYS = 400 * 365  # from 1970: a date further away is one in another unit


def unit_of(learnt: Cell) -> str:
    """The unit in which a learnt number is a date; empty where it is none.

    A scaler keeps the mean of its dates as a number, and pandas has had two units by default.
    """
    if not isinstance(learnt, int | float):
        return ""
    fitting = (unit for unit, per_day in _UNITS.items() if abs(learnt) < _MOST_DAYS * per_day)
    return next(fitting, "")


class Date(Kind):
    """A day; its cell is its ISO text, so that days compare as their texts do."""

    name = "date"
    widget = "date"
    parameter = ""
    words = "a date such as 2026-01-31"

    def dtype(self, feature: Feature) -> str:
        return "datetime64[ns]"

    def span(self, feature: Feature) -> str:
        low, high = feature.earliest, feature.latest
        if low and high:
            return f"{self.words}, from {low} to {high}"
        if low or high:
            return f"{self.words}, {f'{low} or later' if low else f'{high} or earlier'}"
        return self.words

    def reader(self, feature: Feature) -> Reader:
        span = self.span(feature)
        low, high = feature.earliest or _EARLIEST, feature.latest or _LATEST

        def read(value: Any) -> Cell:
            if not isinstance(value, str):
                raise WrongValueError(f"expected {span}, not {described(value)}")
            cell = self.canonical(value)
            if _is_within(cell, low, high):
                return cell
            guess = "" if cell else self.meant(value)
            meant = guess if _is_within(guess, low, high) else None
            raise WrongValueError(
                f"expected {span}, not {described(value)}{did_you_mean(meant)}", meant
            )

        return read

    def meant(self, text: str) -> str:
        """The day in a date and time, or in a date without leading zeros; empty for other texts."""
        found = _DAY.fullmatch(text.strip()) if len(text) <= _MAX_TEXT else None
        return self.canonical("{}-{:0>2}-{:0>2}".format(*found.groups())) if found else ""

    def canonical(self, text: str) -> str:
        """The one spelling of a day; empty when ``text`` is not a day."""
        try:
            return date.fromisoformat(text.strip()).isoformat() if len(text) <= _MAX_TEXT else ""
        except ValueError:
            return ""

    def from_text(self, feature: Feature, text: str) -> Any:
        return text.strip()

    def schema(self, feature: Feature) -> dict[str, Any]:
        return {"type": "string", "format": self.name}

    def example(self, feature: Feature) -> str:
        return feature.earliest or feature.latest or "2026-01-31"

    def counted(self, value: Any) -> Any:
        return value[:7]  # by the month

    def steps(self, feature: Feature, most: int) -> list[tuple[Any, str]] | None:
        few = 0 < self.count(feature) <= most
        return [(day, str(day)) for day in self.cells(feature)] if few else None

    def count(self, feature: Feature) -> int:
        if not (feature.earliest and feature.latest):
            return 0
        return (_day(feature.latest) - _day(feature.earliest)).days + 1

    def cells(self, feature: Feature) -> tuple[Cell, ...]:
        first = _day(feature.earliest)
        return tuple(str(first + timedelta(days)) for days in range(self.count(feature)))

    def declared(self, feature: Feature) -> list[Cell]:
        given = (feature.default, feature.earliest, feature.latest)
        return [self.canonical(text) for text in given if text] or [self.example(feature)]

    def sample(self, feature: Feature, chance: random.Random) -> Cell:
        first, last = _day(feature.earliest or "2000-01-01"), _day(feature.latest or "2030-12-31")
        day = first + timedelta(chance.randrange(max(1, (last - first).days + 1)))
        return self.canonical(str(day))


class DateTime(Date):
    """A moment to the microsecond; one with an offset is converted to UTC."""

    name = "date-time"
    words = "a date and time such as 2026-01-31T09:30:00"

    def canonical(self, text: str) -> str:
        """The one spelling of a moment; empty when ``text`` is not one."""
        try:
            moment = (
                datetime.fromisoformat(text.strip().upper()) if len(text) <= _MAX_TEXT else None
            )
            if moment and moment.tzinfo:
                moment = moment.astimezone(UTC).replace(tzinfo=None)
        except (OverflowError, ValueError):
            return ""
        return moment.isoformat() if moment else ""

    def meant(self, text: str) -> str:
        return ""

    def shown(self, feature: Feature, value: Any) -> str:
        return self.canonical(value).replace("T", " ") or value

    def schema(self, feature: Feature) -> dict[str, Any]:
        # no format: OpenAPI's date-time requires an offset, which most models do without
        return {
            "type": "string",
            "description": f"{feature.help} ISO 8601, in UTC where it has no offset.".strip(),
            "examples": [self.example(feature)],
        }

    def example(self, feature: Feature) -> str:
        return self.canonical(super().example(feature))

    def steps(self, feature: Feature, most: int) -> list[tuple[Any, str]] | None:
        return None

    def count(self, feature: Feature) -> int:
        return 0


def _is_within(day: str, low: str, high: str) -> bool:
    """Whether the text is a day between the bounds; every moment of the last day is within."""
    return low <= day and day[: len(high)] <= high


def _day(text: str) -> date:
    return datetime.fromisoformat(text).date()
