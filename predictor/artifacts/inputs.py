"""From one request item in human words to the row the estimator sees.

The API, the page and CSV uploads all validate here and only here.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from .contract import Contract
from .errors import FieldError, InvalidInput
from .kinds.feature import Cell
from .wrong_values import UnknownFieldError, WrongValueError, nearest, short

__all__ = ["MAX_ERRORS", "MAX_GUESSES", "Cell", "Row", "RowEncoder", "nearest"]

Row = tuple[Cell, ...]

MAX_ERRORS = 50  # fields named in one error
MAX_GUESSES = 5  # in one error: each takes a search


class RowEncoder:
    """Turns items into rows for one contract; made once per model version."""

    def __init__(self, contract: Contract) -> None:
        self._features = contract.features
        self._names = frozenset(feature.name for feature in contract.features)
        self._optional = [f.name for f in contract.features if f.missing]
        self._cells = [(f.name, f.reader()) for f in contract.features]

    def encode(self, item: Any, guesses: int = MAX_GUESSES) -> Row:
        """The row for ``item``, in lookup order: one canonical cell per feature.

        Raises InvalidInput naming every field that is missing, unknown or wrong (up to
        MAX_ERRORS), the first ``guesses`` of them with a suggestion.
        """
        if not isinstance(item, dict):
            raise InvalidInput([FieldError("", f"expected an object with {self._wanted()}")])
        item = self.whole(item)
        try:
            row = tuple([read(item[name]) for name, read in self._cells])
        except (KeyError, WrongValueError):
            raise InvalidInput(self._errors(item, guesses)) from None
        if len(item) != len(row):
            raise InvalidInput(self._errors(item, guesses))
        return row

    def whole(self, item: dict[str, Any]) -> dict[str, Any]:
        """``item`` with None for each optional feature that it leaves out."""
        if not self._optional or len(item) >= len(self._cells):
            return item
        return item | dict.fromkeys(name for name in self._optional if name not in item)

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

    def _wrong_fields(self, item: Mapping[Any, Any]) -> Iterator[tuple[str, WrongValueError]]:
        for name, read in self._cells:
            if name not in item:
                if name not in self._optional:
                    yield name, WrongValueError("this field is required")
                continue
            try:
                read(item[name])
            except WrongValueError as wrong:
                yield name, wrong
        for name in item:
            if name not in self._names:
                yield short(name), UnknownFieldError(name, self._names)


def item_from_text(contract: Contract, texts: Mapping[str, str]) -> dict[str, Any]:
    """A request item from a form or a query string.

    A blank field is a missing value where the feature allows one, an empty text in a free-text
    feature, and otherwise left out.
    """
    given = ((feature, texts[feature.name]) for feature in contract.features
             if feature.name in texts)  # fmt: skip
    return {f.name: f.value_from_text(text) for f, text in given if text or f.may_be_blank}
