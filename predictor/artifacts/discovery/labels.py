"""Which text an estimator was fitted on for each label of a lookup."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from predictor.artifacts.flags import fold
from predictor.artifacts.kinds.feature import Cell
from predictor.artifacts.wrong_values import number_in


def as_texts(labels: Mapping[str, Cell], texts: Sequence[str]) -> dict[str, Cell]:
    """Each label with the text that the estimator was fitted on for it."""
    exact = set(texts)
    normal = {unicodedata.normalize("NFC", text): text for text in texts}
    folded = {fold(text): text for text in texts}
    if len(folded) < len(exact):
        folded = {}  # two labels differ in case only, so case matters
    found: dict[str, Cell] = {}
    for label, cell in labels.items():
        if isinstance(cell, str) and cell in exact:
            found[label] = cell
            continue
        other = normal.get(unicodedata.normalize("NFC", label), folded.get(fold(label), label))
        found[label] = label if label in exact else other
    if exact.isdisjoint(found.values()):
        return _by_codes(labels, exact) or found
    return found


def as_numbers(labels: Mapping[str, Cell], known: Collection[Any]) -> dict[str, Cell]:
    """Each label with the number that it spells, where the estimator was fitted on these.

    Empty where one of the codes is such a number, or where no label is.
    """
    numbers = {float(number) for number in known if isinstance(number, int | float)}
    if not numbers.isdisjoint(code for code in labels.values() if isinstance(code, int | float)):
        return {}
    found = {label: _number(label) for label in labels}
    if None in found.values() or numbers.isdisjoint(found.values()):
        return {}
    return {label: cell for label, cell in found.items() if cell is not None}


def _number(label: str) -> float | None:
    """The number that a label spells; True is 1."""
    number = number_in({"true": "1", "false": "0"}.get(label.casefold(), label))
    return None if number is None else float(number)


def _by_codes(labels: Mapping[str, Cell], exact: set[str]) -> dict[str, Cell]:
    """Each label with the text that spells its code; empty where some code has no such text."""
    codes: dict[str, Cell] = {label: _code_among(exact, cell) for label, cell in labels.items()}
    return {} if None in codes.values() else codes


def _code_among(texts: Collection[str], code: Cell) -> str | None:
    """The text among ``texts`` that is the label's code, where codes are texts."""
    return next((text for text in (spelt(code), f"{spelt(code)}.0") if text in texts), None)


def spelt(code: Cell) -> str:
    """A code as the text that people write for it."""
    return str(int(code) if isinstance(code, float) and code.is_integer() else code)
