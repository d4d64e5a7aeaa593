"""From one request item in human words to the row the estimator sees.

The validation rule of the whole project stands here, once: the API, the page and CSV use it.
"""

import difflib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .contract import Contract, Feature, Number
from .errors import FieldError, InvalidInput
from .untrusted import MAX_SHOWN, shown

Cell = int | float | str
Row = tuple[Cell, ...]

MAX_ERRORS = 50  # fields named in one refusal
MAX_GUESSES = 5  # in one refusal: each is a search, and whoever is wrong everywhere needs none
_MAX_GUESS = 100  # a longer text is no near miss of a label
_MAX_COMPARED = 200  # names a text is compared with letter by letter


class RowEncoder:
    """Turns items into rows for one contract; made once per model version."""

    def __init__(self, contract: Contract) -> None:
        self._features = contract.features
        self._names = frozenset(feature.name for feature in contract.features)
        self._cells = [(f.name, _cell_reader(f)) for f in contract.features]

    def encode(self, item: Any, guesses: int = MAX_GUESSES) -> Row:
        """The row for ``item``, in lookup order.

        Raises InvalidInput naming every field that is missing, unknown or wrong (up to
        MAX_ERRORS), the first ``guesses`` with what was probably meant.
        """
        if not isinstance(item, dict):
            raise InvalidInput([FieldError("", f"expected an object with {self._wanted()}")])
        try:
            row = tuple([read(item[name]) for name, read in self._cells])
        except (KeyError, _WrongValueError):
            raise InvalidInput(self._errors(item, guesses)) from None
        if len(item) != len(row):
            raise InvalidInput(self._errors(item, guesses))
        return row

    def _wanted(self) -> str:
        names = [feature.name for feature in self._features]
        more = f" and {len(names) - 10} more" if len(names) > 10 else ""
        return ", ".join(repr(name) for name in names[:10]) + more

    def _errors(self, item: Mapping[Any, Any], guesses: int) -> list[FieldError]:
        wrong = list(itertools.islice(self._wrong_fields(item), MAX_ERRORS))
        return [
            error.described(field, guess=number < guesses)
            for number, (field, error) in enumerate(wrong)
        ]

    def _wrong_fields(self, item: Mapping[Any, Any]) -> Iterator[tuple[str, "_WrongValueError"]]:
        for name, read in self._cells:
            if name not in item:
                yield name, _WrongValueError("this field is required")
                continue
            try:
                read(item[name])
            except _WrongValueError as wrong:
                yield name, wrong
        for name in item:
            if name not in self._names:
                yield _short(name), _UnknownFieldError(name, self._names)


class _WrongValueError(ValueError):
    """What is wrong with one field, and what was meant where that is plain."""

    def __init__(self, message: str, suggestion: str | Number | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion

    def described(self, field: str, *, guess: bool) -> FieldError:
        """For the caller; with ``guess`` it may take a search for what was probably meant."""
        return FieldError(field, self.message, self.suggestion)


class _UnknownLabelError(_WrongValueError):
    def __init__(self, feature: Feature, value: str) -> None:
        super().__init__(f"{_quoted(value)} is not a known label")
        self._feature = feature
        self._value = value

    def described(self, field: str, *, guess: bool) -> FieldError:
        """A label that is spelt much alike is meant, or the one that stands in."""
        labels, fallback = self._feature.labels or {}, self._feature.fallback
        near = nearest(self._value, [*labels, *self._feature.unlisted]) if guess else None
        if fallback is None or near in labels:
            return FieldError(field, self.message + _ask(near), near)
        stand_in = f"; {_quoted(fallback)} stands in for what the model does not know"
        return FieldError(field, self.message + stand_in, fallback)


class _UnknownFieldError(_WrongValueError):
    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__("there is no such field")
        self._name = name
        self._known = known

    def described(self, field: str, *, guess: bool) -> FieldError:
        near = nearest(self._name, list(self._known)) if guess else None
        return FieldError(field, self.message + _ask(near), near)


def _cell_reader(feature: Feature) -> Callable[[Any], Cell]:
    return _number_reader(feature) if feature.labels is None else _label_reader(feature)


def _label_reader(feature: Feature) -> Callable[[Any], Cell]:
    labels = feature.labels or {}
    cells: dict[str, Cell] = {
        label: label if feature.passed_as == "label" else code for label, code in labels.items()
    }

    def read(value: Any) -> Cell:
        if isinstance(value, str):
            cell = cells.get(value)
            if cell is not None:
                return cell
            raise _UnknownLabelError(feature, value)
        raise _WrongValueError(f"expected a label in quotes, not {_kind(value)}")

    return read


def _number_reader(feature: Feature) -> Callable[[Any], Cell]:
    span, low, high = feature.span(), feature.minimum, feature.maximum
    by_name = {shown.casefold(): number for number, shown in feature.named.items()}

    def read(value: Any) -> Cell:
        # bool is an int to Python, but true is no number to a caller
        if type(value) is not int and type(value) is not float:
            guess = by_name.get(value.casefold()) if isinstance(value, str) else None
            if guess is None and isinstance(value, str) and value.isascii():
                guess = _as_number(value)
            raise _WrongValueError(f"expected {span}, not {_kind(value)}{_ask(guess)}", guess)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise _WrongValueError(f"expected {span}; this number is not finite or is too large")
        if feature.integer and not number.is_integer():
            raise _WrongValueError(f"expected {span}, not {value:g}")
        if (low is not None and number < low) or (high is not None and number > high):
            raise _WrongValueError(f"expected {span}, not {_short(value)}")
        return int(value) if feature.integer else value

    return read


def value_from_text(feature: Feature, text: str) -> Any:
    """What a form field or a CSV cell holds, as JSON would have said it: numbers as numbers.

    Text that is no number is returned as it is, for the encoder to refuse in its own words.
    """
    if feature.labels is not None or "_" in text:  # Python reads 1_0 as ten; nobody else does
        return text
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def item_from_text(contract: Contract, texts: Mapping[str, str]) -> dict[str, Any]:
    """A request item from a form or a query string; what was left blank is left out."""
    given = ((feature, texts.get(feature.name, "")) for feature in contract.features)
    return {feature.name: value_from_text(feature, text) for feature, text in given if text}


def nearest(text: str, known: Sequence[str]) -> str | None:
    """The one of ``known`` that ``text`` was probably meant to be, or None."""
    if len(text) > _MAX_GUESS:
        return None
    meant = text.strip().casefold()
    by_folded = {label.strip().casefold(): label for label in reversed(known)}
    if meant in by_folded:
        return by_folded[meant]
    # of many names only those that begin or end alike are looked at: a search must stay short
    alike: Iterable[str] = by_folded
    if len(by_folded) > _MAX_COMPARED:
        alike = (n for n in by_folded if n[:3] == meant[:3] or n[-3:] == meant[-3:])
    compared = list(itertools.islice(alike, _MAX_COMPARED))
    close = difflib.get_close_matches(meant, compared, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def _as_number(text: str) -> Number | None:
    try:
        number = float(text[:MAX_SHOWN])
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def _ask(guess: str | Number | None) -> str:
    if guess is None:
        return ""
    return f"; did you mean {_quoted(guess) if isinstance(guess, str) else guess}?"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {_quoted(value)}"
    if isinstance(value, int | float):
        return f"the number {_short(value)}"
    return "a list" if isinstance(value, list) else "an object"


def _quoted(text: str) -> str:
    return f'"{_short(text)}"'


def _short(value: Any) -> str:
    """``value`` as text that can be sent back."""
    return shown(value if isinstance(value, str) else repr(value))
