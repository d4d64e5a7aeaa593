"""The values that an estimator has learnt from its columns: means, thresholds, categories, rows."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from predictor.artifacts.contract import Feature
from predictor.artifacts.kinds.feature import Cell

from .findings import Column, Discovery, is_nothing
from .trees import both_sides, thresholds

_MOST_VALUES = 24  # values of one feature that are tried
_MOST_ROWS = 40
_CENTRES = ("mean_", "center_", "statistics_", "location_", "xbar_", "X_offset_", "_x_mean")
_ENDS = ("data_min_", "data_max_")
# Attributes with rows, or means of rows: of neighbours, support vectors, clusters, classes.
_ROWS = ("_fit_X", "X_train_", "X_fit_", "X_", "support_vectors_", "cluster_centers_", "means_",
         "theta_", "centroids_")  # fmt: skip


class Learnt:
    """Collects learnt values by feature, from columns that no step has changed."""

    def __init__(self, features: Sequence[Feature], found: Discovery) -> None:
        self.features = features
        self.found = found
        self.branches: dict[str, list[Any]] = {}
        self.centres: dict[str, list[Any]] = {}

    def middles(self) -> dict[str, Cell]:
        """By feature, the median of the learnt means, else of thresholds and codes."""
        known = {name: cells for name, cells in (self.branches | self.centres).items() if cells}
        return {name: _middle(cells) for name, cells in known.items()}

    def texts(self, feature: str, texts: Sequence[str]) -> None:
        """Note the texts that an encoder knows of a free-text feature."""
        self.found.values.setdefault(feature, []).extend(texts[:_MOST_VALUES])
        self.branches.setdefault(feature, []).extend(texts)

    def values(self, step: Any, columns: list[Column]) -> None:
        """Note what a step's attributes reveal of its columns."""
        own = vars(step)
        for key in (*_CENTRES, *_ENDS):
            learnt = own.get(key)
            if np.shape(learnt) == (len(columns),):
                for column, value in zip(columns, np.asarray(learnt).tolist(), strict=True):
                    self.add(column, [value])
                    if key in _CENTRES:
                        self._centre(column, value)
        for place, learnt in thresholds(step, len(columns)):
            few = learnt[:: max(1, len(learnt) // 5)][:6]
            self.add(columns[place], [*chain.from_iterable(map(both_sides, map(float, few)))])
            self.branch(columns[place], learnt)
        for key in _ROWS:
            fitted = own.get(key)
            if fitted is not None and all(column.raw for column in columns):
                self._rows(fitted, columns)

    def add(self, column: Column, values: Sequence[Any]) -> None:
        """Values to try first."""
        if column.raw:
            known = self.found.values.setdefault(self.features[column.feature].name, [])
            known.extend(
                value for value in values[: _MOST_VALUES - len(known)]
                if isinstance(value, int | float | str) and not is_nothing(value)
            )  # fmt: skip

    def _centre(self, column: Column, value: Any) -> None:
        if column.raw and isinstance(value, int | float) and not is_nothing(value):
            self.centres.setdefault(self.features[column.feature].name, []).append(value)

    def branch(self, column: Column, cells: Sequence[Any]) -> None:
        """Add categories and thresholds, at which the estimator may branch."""
        if column.raw:
            known = self.branches.setdefault(self.features[column.feature].name, [])
            known.extend(c for c in cells if isinstance(c, int | float) and not is_nothing(c))

    def _rows(self, fitted: Any, columns: Sequence[Column]) -> None:
        """Rows that a neighbour model keeps, as cells."""
        plain = [c.feature for c in columns] == list(range(len(self.features)))
        if not plain or np.shape(fitted)[1:] != (len(columns),) or hasattr(fitted, "tocsr"):
            return
        rows = np.asarray(fitted)
        for row in rows[:: max(1, len(rows) // _MOST_ROWS)][:_MOST_ROWS].tolist():
            cells = [_cell_of(f, value) for f, value in zip(self.features, row, strict=True)]
            if not any(cell is _ABSENT for cell in cells):
                self.found.rows.append(tuple(cells))


_ABSENT: Any = object()


def _middle(cells: Sequence[Any]) -> Cell:
    """The median of the numbers if there are any, else of the texts."""
    kept = [cell for cell in cells if not isinstance(cell, str)] or cells
    middle: Cell = sorted(kept)[len(kept) // 2]
    return middle


def _cell_of(feature: Feature, value: Any) -> Any:
    """The cell of a learnt value, if the contract allows it."""
    if feature.is_choice:
        return next((cell for cell in (feature.labels or {}).values() if cell == value), _ABSENT)
    low, high = feature.minimum, feature.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return _ABSENT
    return value if feature.dtype == "float64" else _ABSENT
