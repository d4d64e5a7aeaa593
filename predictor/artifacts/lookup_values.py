"""What a value of lookup.pkl says of its feature: its kind, its labels, its number of columns."""

from collections.abc import Mapping
from typing import Any

from .errors import ArtifactError
from .kinds import BOOLEAN, CHOICE, NUMBER, NUMBERS, TEXT, Kind
from .kinds.feature import Cell
from .metadata import is_number, plain, text

MAX_LABELS = 10_000
_MAX_SIZE = 10_000  # numbers in one list


def read_value(name: str, values: Any) -> tuple[Kind, dict[str, Cell] | None, int]:
    """(kind, labels, columns) of a value of the lookup."""
    if hasattr(values, "tolist"):  # a numpy array or scalar
        values = values.tolist()
    if isinstance(values, Mapping):
        return CHOICE, _labels(name, values), 1
    if isinstance(values, list | tuple):
        return _read_list(name, values)
    if isinstance(values, bool):
        return BOOLEAN, None, 1
    if values == "" and isinstance(values, str):
        return TEXT, None, 1
    if not is_number(values):
        raise ArtifactError(
            f"lookup.pkl: {name!r} must be a mapping {{label: code}}, a list of labels, a number, "
            f"False, an empty text or a list of zeros, not {values!r:.60}"
        )
    return NUMBER, None, 1


def _read_list(name: str, values: Any) -> tuple[Kind, dict[str, Cell] | None, int]:
    if values and all(isinstance(value, str) for value in values):
        labels = _labels(name, {value: value for value in values})
        if len(labels) != len(values):
            raise ArtifactError(f"lookup.pkl: {name!r} lists a label twice")
        return CHOICE, labels, 1
    zeros = [value for value in values if is_number(value) and value == 0]
    if not 1 <= len(zeros) == len(values) <= _MAX_SIZE:
        raise ArtifactError(
            f"lookup.pkl: {name!r} must list labels, or 1 to {_MAX_SIZE:,} zeros for as many "
            "numbers; for a choice of numbers write {'2024': 2024, '2025': 2025}"
        )
    return NUMBERS, None, len(values)


def _labels(name: str, values: Mapping[Any, Any]) -> dict[str, Cell]:
    if not values:
        raise ArtifactError(f"lookup.pkl: {name!r} has no labels")
    if len(values) > MAX_LABELS:
        raise ArtifactError(f"lookup.pkl: {name!r} has {len(values)} labels; at most {MAX_LABELS}")
    as_text = all(isinstance(cell, str) for cell in values.values())
    if as_text and all(is_number(code) for code in values):
        raise ArtifactError(
            f"lookup.pkl: {name!r} gives each code its label: invert it, "
            f"{{label: code for code, label in lookup[{name!r}].items()}}"
        )
    read = _own_text if as_text else _code
    where = f"lookup.pkl: a label of {name!r}"
    return {text(where, label): read(name, label, cell) for label, cell in values.items()}


def _own_text(name: str, label: str, cell: str) -> str:
    if cell != label:
        raise ArtifactError(
            f"lookup.pkl: {name!r} gives label {label!r} the text {cell!r:.60}; write the "
            "number that the model was fitted on, or the label itself"
        )
    return label


def _code(name: str, label: str, given: Any) -> Cell:
    code = given.item() if hasattr(given, "item") else given
    code = int(code) if isinstance(code, bool) else code
    if not is_number(code):
        raise ArtifactError(
            f"lookup.pkl: {name!r} gives label {label!r} a code that is not a finite number"
        )
    return plain(code)
