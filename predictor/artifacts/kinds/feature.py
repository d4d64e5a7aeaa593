"""One input of a model, and the interface of its kind.

A feature holds what only it has; its kind holds the rules that all features of the kind share.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import random

Number = int | float
# One value of a row, from which the estimator's column is built. ``None`` is the only missing
# value (NaN is unequal to itself and would break every cache); a list of numbers is a tuple.
Cell = bool | int | float | str | tuple[float, ...] | None
Reader = Callable[[Any], Cell]

UNKNOWN = "unknown"  # the name of a missing value on pages and in a baseline
UNKNOWN_WORDS = (UNKNOWN, "no value", "value missing")  # the others if a label is "unknown"


def unknown_word(taken: Iterable[str], words: Sequence[str] = UNKNOWN_WORDS) -> str:
    """The first of ``words`` that is not in ``taken``, as the name of a missing value."""
    names = {name.casefold() for name in taken}
    return next((word for word in words if word.casefold() not in names), f"({words[0]})")


@dataclass(frozen=True)
class Feature:
    """One input of the model; ``kind`` has the rules for its values."""

    name: str
    kind: Kind
    labels: Mapping[str, Cell] | None = None  # of a choice: label → cell, in lookup order
    title: str = ""
    help: str = ""
    unit: str = ""
    group: str = ""  # features of the same group are side by side in a form
    minimum: float | None = None
    maximum: float | None = None
    earliest: str = ""  # of a date, in ISO 8601
    latest: str = ""
    default: Any = None
    typical: Any = None  # a value near the middle of the training data, if known
    named: Mapping[Number, str] = field(default_factory=dict)  # shown names of numbers: 1 → January
    label_titles: Mapping[str, str] = field(default_factory=dict)  # shown names of labels
    fallback: str | None = None  # the label used for those the model does not know
    unlisted: tuple[str, ...] = ()  # names people search for that the model does not know
    missing: bool = False  # whether the value may be null or left out
    open: bool = False  # whether labels that are not listed are passed on
    max_length: int = 0  # of a text, in characters
    size: int = 1  # how many columns of the estimator it fills
    said: frozenset[str] = frozenset()  # the keys that metadata.json has for it
    column: str = ""  # the column's type, where the examination found another than the kind's
    categories: tuple[Any, ...] = ()  # of a column of pandas' type "category"
    truths: tuple[str, ...] = ()  # of a boolean: the texts the model learnt for false and true
    missing_as: str = "nan"  # how a missing text was encoded in training: nan or none

    @property
    def is_choice(self) -> bool:
        """Whether its values are labels."""
        return self.labels is not None

    @property
    def may_be_blank(self) -> bool:
        """Whether a blank form field is a valid answer: no value, or an empty text."""
        return self.missing or self.kind.empty

    @property
    def dtype(self) -> str:
        """The numpy or pandas type of its column, the same for every request."""
        return self.column or self.kind.dtype(self)

    @property
    def names(self) -> set[str]:
        """The names of its values: labels and display names."""
        return {*(self.labels or ()), *self.label_titles.values(), *self.named.values()}

    @property
    def unknown(self) -> str:
        """The name of a missing value, which no other value has."""
        return unknown_word(self.names)

    def span(self) -> str:
        """The values that are allowed, in words: ``a whole number from 1 to 12``."""
        return self.kind.span(self)

    def reader(self) -> Reader:
        """A function from a request's value to its cell; it raises WrongValueError."""
        read = self.kind.reader(self)
        return (lambda value: None if value is None else read(value)) if self.missing else read

    def value_from_text(self, text: str) -> Any:
        """The JSON value of a form field or a CSV cell.

        Text that is not a value is returned unchanged, and the encoder refuses it.
        """
        return None if self.missing and not text.strip() else self.kind.from_text(self, text)

    def example(self) -> Any:
        """A valid value: the default, else one that the estimator knows well."""
        known = self.typical if self.default is None else self.default
        return self.kind.example(self) if known is None else known

    def schema(self) -> dict[str, Any]:
        """JSON Schema of its value, for OpenAPI 3.1."""
        schema: dict[str, Any] = {"title": self.title}
        if self.help:
            schema["description"] = self.help
        schema |= self.kind.schema(self)
        if self.missing:
            schema["type"] = [schema["type"], "null"]
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
        return schema

    def choices(self) -> list[tuple[Any, str]] | None:
        """(value, shown name) of every possible value, or None when there is no short list."""
        return self.kind.choices(self)

    def shown(self, value: Any) -> str:
        """``value`` as people read it: ``10`` → ``October``.

        A value from the log may not be of this kind: it is hashed, or from an older version.
        """
        try:
            return self.unknown if value is None else self.kind.shown(self, value)
        except (TypeError, ValueError):
            return str(value)

    def with_unit(self, value: Any) -> str:
        """``value`` as people read it, and its unit."""
        shown = self.shown(value)
        return f"{shown} {self.unit}" if self.unit and value is not None else shown

    def count(self) -> int:
        """How many cells it can have; 0 when they cannot be counted."""
        count = self.kind.count(self)
        return count + 1 if count and self.missing else count

    def cells(self) -> tuple[Cell, ...]:
        """Every cell it can have, where they can be counted."""
        return (*self.kind.cells(self), None) if self.missing else self.kind.cells(self)


class Kind(ABC):
    """A kind of values. All features of a kind share one object; differences are in the feature.

    A *value* is what JSON has (``"Gotham"``, ``4``, ``true``), a *cell* what the estimator's
    column is built from. The feature handles missing values: no method here gets one.
    """

    name: ClassVar[str]  # ``type`` in metadata.json
    widget: ClassVar[str] = "text"  # the form field: choice, open, number, text or date
    parameter: ClassVar[Any] = 0  # its value in GET /api/predict/params
    empty: ClassVar[bool] = False  # whether an empty text is one of its values

    def params(self, feature: Feature) -> Any:
        """Its value in ``GET /api/predict/params``."""
        return self.parameter

    @abstractmethod
    def dtype(self, feature: Feature) -> str:
        """The type of the column."""

    @abstractmethod
    def span(self, feature: Feature) -> str:
        """The values that are allowed, in words."""

    @abstractmethod
    def reader(self, feature: Feature) -> Reader:
        """A function from a value to its one canonical cell; it raises WrongValueError."""

    def from_text(self, feature: Feature, text: str) -> Any:
        """From a form field or a CSV cell to a value; text that is not a value stays text."""
        return text

    @abstractmethod
    def schema(self, feature: Feature) -> dict[str, Any]:
        """The part of the JSON Schema that describes values; ``type`` is a single string."""

    @abstractmethod
    def example(self, feature: Feature) -> Any:
        """A valid value."""

    def accepts_default(self, feature: Feature) -> bool:
        """Whether the feature's default is a value of it."""
        try:
            self.reader(feature)(feature.default)
        except ValueError:
            return False
        return True

    def choices(self, feature: Feature) -> list[tuple[Any, str]] | None:
        """(value, shown name) where there is a short list of them."""
        return None

    def steps(self, feature: Feature, most: int) -> list[tuple[Any, str]] | None:
        """(value, shown name) of every value, if at most ``most``, or of the short list."""
        return self.choices(feature)

    def shown(self, feature: Feature, value: Any) -> str:
        """``value`` as people read it."""
        return str(value)

    def counted(self, value: Any) -> Any:
        """What drift counts for a value: a text itself, a number by size; None leaves it out."""
        return value

    def count(self, feature: Feature) -> int:
        """How many cells there are; 0 when they cannot be counted."""
        return 0

    def cells(self, feature: Feature) -> tuple[Cell, ...]:
        """Every cell, where they can be counted."""
        return ()

    def declared(self, feature: Feature) -> list[Cell]:
        """Cells that the contract names: every label, every bound, the default."""
        return [self.reader(feature)(self.example(feature) if feature.default is None
                                     else feature.default)]  # fmt: skip

    def sample(self, feature: Feature, chance: random.Random) -> Cell:
        """A random one of the allowed cells."""
        return chance.choice(self.declared(feature))
