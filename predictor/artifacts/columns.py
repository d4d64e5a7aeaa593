"""From rows to the estimator's input: an array, a data frame, a list of texts or of records.

The contract gives each column one type, so the answer to a row never depends on how a number was
written or on the other rows of the call.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from .contract import Contract, Feature
from .errors import ArtifactError
from .inputs import Cell, Row
from .kinds import NUMBERS

_OF_NUMBERS = ("float64", "int64", "bool")


class Columns:
    """The way from rows to one estimator's input."""

    def __init__(self, contract: Contract, estimator: Any) -> None:
        """Raises ArtifactError when the estimator was fitted on other columns."""
        self._features = contract.features
        self._one_dimensional = contract.one_dimensional
        self._records = contract.records
        # by equality: pandas does not find True among the categories 0.0 and 1.0
        self._categories = {
            f.name: {known: place for place, known in enumerate(f.categories)}
            for f in self._features
        }
        self._whole = all(f.dtype in _OF_NUMBERS for f in contract.features)
        self._wide = any(f.kind is NUMBERS for f in contract.features)
        self._names = None if self._is_list else _fitted_names(contract, estimator)
        if not self._is_list:
            _check_width(contract, estimator)

    @property
    def _is_list(self) -> bool:
        return self._one_dimensional or self._records

    @property
    def as_frame(self) -> bool:
        """Whether the estimator was fitted on a data frame."""
        return self._names is not None

    @property
    def numeric(self) -> bool:
        """Whether every column holds numbers, so that rows are a matrix."""
        return self._whole and not self._is_list

    @property
    def takes_floats(self) -> bool:
        """Whether every cell of a row may be sent as a float."""
        return self.numeric and not self.as_frame and not self._wide

    def build(self, rows: Sequence[Row]) -> Any:
        """The estimator's input for ``rows``."""
        if self._one_dimensional:
            return [row[0] for row in rows]
        if self._records:
            return [self._record(row) for row in rows]
        if self._names is not None:
            return self._frame(rows, self._names)
        return self.matrix(rows) if self._whole else self._objects(rows)

    def _record(self, row: Row) -> dict[str, Cell]:
        """The row as a dictionary; a missing value is left out, as DictVectorizer expects."""
        pairs = zip(self._features, row, strict=True)
        return {f.name: _passed(f, cell) for f, cell in pairs if cell is not None}

    def matrix(self, rows: Sequence[Row]) -> npt.NDArray[np.float64]:
        """The rows of an estimator whose columns are all numbers; a missing one is NaN."""
        flat = [_flat(self._features, row) for row in rows] if self._wide else rows
        # a data frame is in memory column by column, and the rounding of products depends on that
        return np.array(flat, dtype=np.float64, order="C" if self._names is None else "F")

    def _objects(self, rows: Sequence[Row]) -> npt.NDArray[np.object_]:
        columns = self._columns(rows)
        table = np.empty((len(rows), len(columns)), dtype=object)
        for place, (feature, cells) in enumerate(columns):
            table[:, place] = _array(feature, cells)
        return table

    def _frame(self, rows: Sequence[Row], names: Sequence[str]) -> Any:
        # pandas costs 40 MB and half a second; only models fitted on a data frame need it
        import pandas as pd  # noqa: PLC0415

        made = {}
        for name, (feature, cells) in zip(names, self._columns(rows), strict=True):
            if feature.dtype == "category":
                places = self._categories[feature.name]
                codes = [places.get(_passed(feature, cell), -1) for cell in cells]
                made[name] = pd.Series(
                    pd.Categorical.from_codes(codes, categories=list(feature.categories))
                )
            else:
                array = _array(feature, cells)
                made[name] = pd.Series(array, dtype=array.dtype)
        return pd.DataFrame(made)

    def _columns(self, rows: Sequence[Row]) -> list[tuple[Feature, list[Cell]]]:
        """(feature, cells) of every column of the estimator."""
        columns: list[tuple[Feature, list[Cell]]] = []
        for feature, cells in zip(self._features, zip(*rows, strict=True), strict=True):
            if feature.kind is NUMBERS:
                lists = [_parts(feature, cell) for cell in cells]
                columns += [(feature, list(part)) for part in zip(*lists, strict=True)]
            else:
                columns.append((feature, list(cells)))
        return columns


def _array(feature: Feature, cells: Sequence[Cell]) -> npt.NDArray[Any]:
    if feature.dtype in ("object", "category"):
        missing = None if feature.missing_as == "none" else np.nan
        array = np.empty(len(cells), dtype=object)
        array[:] = [missing if cell is None else _passed(feature, cell) for cell in cells]
        return array
    return np.array(cells, dtype=feature.dtype)


def _passed(feature: Feature, cell: Cell) -> Cell:
    """What the estimator gets of a cell: a text for a truth, where it was fitted on texts."""
    return feature.truths[cell] if isinstance(cell, bool) and feature.truths else cell


def _parts(feature: Feature, cell: Cell) -> tuple[Cell, ...]:
    """The cells of a list of numbers; all are missing where the list is."""
    return (None,) * feature.size if cell is None else cast("tuple[Cell, ...]", cell)


def _flat(features: Sequence[Feature], row: Row) -> list[Any]:
    flat: list[Any] = []
    for feature, cell in zip(features, row, strict=True):
        if feature.kind is NUMBERS:
            flat += _parts(feature, cell)
        else:
            flat.append(cell)
    return flat


def _fitted_names(contract: Contract, estimator: Any) -> list[str] | None:
    fitted = _named_by(contract, estimator)
    if fitted is None:
        return None
    described: list[str] = []
    for feature in contract.features:
        at = len(described)
        described += [feature.name] if feature.size == 1 else fitted[at : at + feature.size]
    if fitted != described:
        wanted = [feature.name for feature in contract.features]
        raise ArtifactError(
            f"the model was fitted on the columns {fitted}, lookup.pkl describes {wanted}; "
            "names and order must agree: write the lookup in the order of "
            "list(model.feature_names_in_)"
        )
    return fitted


def _named_by(contract: Contract, estimator: Any) -> list[str] | None:
    """The estimator's own names of its columns; None where it takes columns by position."""
    if (names := getattr(estimator, "feature_names_in_", None)) is not None:
        return list(map(str, names))
    described = [feature.name for feature in contract.features]
    if contract.by_name and all(feature.size == 1 for feature in contract.features):
        return described
    # CatBoost names the columns of an array too, by their numbers
    names = getattr(estimator, "feature_names_", None)
    return described if names is not None and list(names) == described else None


def _check_width(contract: Contract, estimator: Any) -> None:
    described = sum(feature.size for feature in contract.features)
    wanted = getattr(estimator, "n_features_in_", 0) or described  # CatBoost has 0 for unknown
    if wanted != described:
        raise ArtifactError(
            f"the model was fitted on {wanted} features, lookup.pkl describes {described}"
        )
