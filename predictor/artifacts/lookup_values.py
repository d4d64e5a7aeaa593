"""What a value of lookup.pkl says of its feature: its kind, its labels, its number of columns."""

from collections.abc import Mapping
from typing import Any

from .errors import ArtifactError
from .kinds import BOOLEAN, CHOICE, NUMBER, NUMBERS, TEXT, Kind
from .kinds.feature import Cell, Feature
from .metadata import is_number, plain, text, written
from .names import first_twin

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
    where = f"lookup.pkl: a label of {name!r}"
    labels = [written(where, label) for label in values]
    if twin := first_twin(labels):
        raise ArtifactError(f"lookup.pkl: {name!r} has the label {twin!r} twice")
    read = _text_code if as_text else _code
    return {label: read(name, label, cell)
            for label, cell in zip(labels, values.values(), strict=True)}  # fmt: skip


def _text_code(name: str, label: str, cell: str) -> str:
    return text(f"lookup.pkl: the text of {name!r} for {label!r}", cell)


def check_text_codes(feature: Feature, *, found: bool) -> None:
    """Raises ArtifactError where it is unknown if the estimator takes labels or their texts.

    ``found``: an encoder learnt one of the two.
    """
    if found or "passed_as" in feature.said:
        return
    for label, cell in (feature.labels or {}).items():
        if isinstance(cell, str) and cell != label:
            raise ArtifactError(
                f"lookup.pkl: {feature.name!r} gives label {label!r} the text {cell!r:.60}, which "
                "no encoder of the model has learnt; write the number that the model was fitted "
                "on, or the label itself"
            )


def _code(name: str, label: str, given: Any) -> Cell:
    code = given.item() if hasattr(given, "item") else given
    code = int(code) if isinstance(code, bool) else code
    if not is_number(code):
        raise ArtifactError(
            f"lookup.pkl: {name!r} gives label {label!r} a code that is not a finite number"
        )
    return plain(code)
