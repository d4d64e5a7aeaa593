"""What trees, and estimators that bin their columns, have learnt from these columns."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from predictor.artifacts.kinds.feature import Cell

from .findings import is_nothing

_MOST_BRANCHES = 2_000  # values of one feature at which the estimator may branch


def thresholds(step: Any, width: int) -> Iterator[tuple[int, list[float]]]:
    """(column, sorted thresholds) of a tree, a booster or an estimator that bins its columns."""
    tree = vars(step).get("tree_")
    if hasattr(tree, "threshold") and hasattr(tree, "feature"):
        for place in range(width):
            yield place, sorted(tree.threshold[tree.feature == place].tolist())
    mapper = vars(step).get("_bin_mapper")
    if mapper is not None and len(mapper.bin_thresholds_) == width:
        for place, edges in enumerate(mapper.bin_thresholds_):
            yield place, [edge for edge in np.asarray(edges).tolist() if math.isfinite(edge)]
    for place, learnt in enumerate(_edges(step)[:width]):
        yield place, sorted(learnt)


def _edges(step: Any) -> list[list[float]]:
    """By column, the borders of bins and quantiles and the knots of splines."""
    own = vars(step)
    if "quantiles_" in own and np.ndim(own["quantiles_"]) == 2:
        found: list[list[float]] = np.asarray(own["quantiles_"]).T.tolist()
        return found
    if "bin_edges_" in own:
        return [np.asarray(edges).tolist() for edges in own["bin_edges_"]]
    if "bsplines_" in own:
        return [spline.t[spline.k : -spline.k or None].tolist() for spline in own["bsplines_"]]
    if "X_thresholds_" in own:  # isotonic regression
        return [np.asarray(own["X_thresholds_"]).tolist()]
    return []


def columns_with_missing(step: Any) -> set[int]:
    """Columns where a tree's branch for missing values shows that training had some.

    Where a column had none in training, scikit-learn sends missing values to the larger child.
    """
    found: set[int] = set()
    tree = vars(step).get("tree_")
    if tree is not None and hasattr(tree, "missing_go_to_left"):
        inner = tree.children_left != -1
        left = tree.n_node_samples[tree.children_left[inner]]
        right = tree.n_node_samples[tree.children_right[inner]]
        odd = tree.missing_go_to_left[inner].astype(bool) != (left > right)
        found |= set(tree.feature[inner][odd].tolist())
    for predictor in (p for stage in vars(step).get("_predictors", []) for p in stage):
        nodes = predictor.nodes
        inner = ~nodes["is_leaf"].astype(bool)
        left, right = (nodes["count"][nodes[side][inner]] for side in ("left", "right"))
        odd = nodes["missing_go_to_left"][inner].astype(bool) != (left > right)
        found |= set(nodes["feature_idx"][inner][odd].tolist())
    return found


def both_sides(value: float) -> tuple[float, float, float]:
    """A threshold and the floats next to it: both sides of the split."""
    return value, math.nextafter(value, math.inf), math.nextafter(value, -math.inf)


def spread(cells: Sequence[Cell]) -> Iterator[Cell]:
    """Each of ``cells`` and, after a number, the next float: the other side of a threshold."""
    known = list(dict.fromkeys(cell for cell in cells if not is_nothing(cell)))
    for cell in known[:: 1 + 2 * len(known) // _MOST_BRANCHES]:
        yield cell
        if isinstance(cell, float):
            yield math.nextafter(cell, math.inf)
