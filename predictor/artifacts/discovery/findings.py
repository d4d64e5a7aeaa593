"""The findings about an estimator's inputs, and the types that the search uses."""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from predictor.artifacts.inputs import Row
from predictor.artifacts.kinds.feature import Cell


class Column(NamedTuple):
    """A column on its way through the estimator: its feature, and whether it is still unchanged."""

    feature: int
    raw: bool = True


@dataclass
class Discovery:
    """``kinds`` by feature go into the verdict; ``maybe_missing`` must be tried before that.

    ``coded`` has the codes of labels as texts, on which the estimator may have been fitted.
    ``spelt`` are choices whose labels or texts an encoder has learnt.
    ``values`` are likely values, ``middles`` are near the middle of the training data; ``branches``
    are all categories and thresholds, or a spread of them where there are too many.
    """

    kinds: dict[str, dict[str, Any]] = field(default_factory=dict)
    maybe_missing: set[str] = field(default_factory=set)
    coded: dict[str, dict[str, Cell]] = field(default_factory=dict)
    spelt: set[str] = field(default_factory=set)
    values: dict[str, list[Cell]] = field(default_factory=dict)
    middles: dict[str, Cell] = field(default_factory=dict)
    branches: dict[str, list[Cell]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def tried(self) -> dict[str, list[Cell]]:
        """By feature, all values with which the examination tries the estimator."""
        return {name: [*self.values.get(name, ()), *self.branches.get(name, ())]
                for name in self.values.keys() | self.branches.keys()}  # fmt: skip

    def note(self, feature: str, **found: Any) -> None:
        """Add findings about a feature; the first finding of a kind wins."""
        known = self.kinds.setdefault(feature, {})
        for key, value in found.items():
            known.setdefault(key, value)


def is_nothing(cell: Any) -> bool:
    """Whether a category or a learnt value means a missing value."""
    if isinstance(cell, float):
        return math.isnan(cell)
    return cell is None or type(cell).__name__ == "NAType"  # pandas need not be imported
