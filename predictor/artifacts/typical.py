"""A case near the middle of the training data: the example of a version that has none."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .contract import Contract, Feature
from .errors import InvalidInput, ScoringError
from .inputs import Cell, Row, RowEncoder
from .kinds import NUMBER, NUMBERS, TEXT, WHOLE
from .scores import Answering

_DIGITS = 3  # of a number that is not copied from the training data


class Tried(Answering, Protocol):
    """A scorer that knows a row it can answer."""

    trial: Row


def typical_values(
    contract: Contract, scorer: Tried, rows: Sequence[Row], middles: Mapping[str, Cell]
) -> dict[str, Any]:
    """A value for each number and text without a default in the contract.

    With the other features' examples they make a case that the model answers: one of the ``rows``
    that the estimator keeps, else the ``middles`` of what it learnt, else the row that it was tried
    with.
    """
    kept = [rows[len(rows) // 2]] if rows else []
    names = [feature.name for feature in contract.features]
    several = [dict(zip(names, row, strict=True)) for row in (*kept, scorer.trial)]
    several.insert(-1, dict(middles))
    for known in several:
        values = {
            feature.name: value
            for feature in contract.features
            if (value := _example_of(feature, known.get(feature.name))) is not None
        }
        if values and _is_answered(contract.refined({}, (), values), scorer):
            return values
    return {}


def _example_of(feature: Feature, cell: Cell) -> Any:
    if feature.default is not None or cell is None:
        return None
    if feature.kind is NUMBERS:
        return list(cell) if isinstance(cell, tuple) else [_short(cell)] * feature.size
    if feature.kind is TEXT:
        return cell if isinstance(cell, str) else None
    if feature.kind is WHOLE:
        return round(cell) if isinstance(cell, int | float) else None
    return _short(cell) if feature.kind is NUMBER else None


def _short(cell: Cell) -> Any:
    """A number as people write one."""
    number = cell if isinstance(cell, int | float) else 0
    if float(number).is_integer():
        return int(number) if abs(number) < 2**53 else float(number)
    return float(f"{number:.{_DIGITS}g}")


def _is_answered(contract: Contract, scorer: Tried) -> bool:
    """Whether the model answers the case made of all examples."""
    try:
        row = RowEncoder(contract).encode({f.name: f.example() for f in contract.features})
        scorer.score([row])
    except (InvalidInput, ScoringError):
        return False
    return True
