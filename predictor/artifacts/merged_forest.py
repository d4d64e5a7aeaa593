"""All trees of a forest as one tree, so that one call of compiled code scores all rows.

Walking a tree takes hardly any time compared with the call. The merged tree has one more feature,
the number of a tree; its first nodes lead each number to the root of that tree.
"""

from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

_LEAF = -1

Array = npt.NDArray[Any]


class MergedForest:
    """The trees of a forest with one output, merged into one compiled tree."""

    def __init__(self, trees: list[Any]) -> None:
        """``trees`` are scikit-learn's compiled trees."""
        first = trees[0]
        states = [tree.__getstate__() for tree in trees]
        inner = len(trees) - 1
        self._numbers = np.arange(len(trees), dtype=np.float32)[:, np.newaxis]
        self._tree = type(first)(first.n_features + 1, first.n_classes, 1)
        nodes, roots = _beside_each_other([state["nodes"] for state in states], inner)
        _lead_to_each(roots, first.n_features, nodes)
        values = [state["values"] for state in states]
        unused = np.zeros((inner, *values[0].shape[1:]))
        self._tree.__setstate__({
            "max_depth": max(state["max_depth"] for state in states) + inner.bit_length(),
            "node_count": len(nodes),
            "nodes": nodes,
            # no negative zeros: scikit-learn's sums begin with a positive zero
            "values": np.concatenate([unused, *values]) + 0.0,
        })  # fmt: skip

    def mean(self, cells: Array) -> Array:
        """The mean of all trees' answers to rows of float32, added in the order of the trees."""
        trees, (height, width) = len(self._numbers), cells.shape
        asked = np.empty((trees, height, width + 1), dtype=np.float32)
        asked[:, :, :-1] = cells
        asked[:, :, -1] = self._numbers
        answers = self._tree.predict(asked.reshape(-1, width + 1)).reshape(trees, height, -1)
        # for a single output, reduce would add in pairs and round differently
        total: Array = np.add.accumulate(answers, axis=0)[-1]
        return total / trees


def _beside_each_other(trees: list[Array], start: int) -> tuple[Array, list[int]]:
    """One array of all trees' nodes after ``start`` empty nodes, and each tree's first index."""
    nodes = np.concatenate([np.zeros(start, trees[0].dtype), *trees])
    roots = []
    for tree in trees:
        roots.append(start)
        own = nodes[start : start + len(tree)]
        for side in ("left_child", "right_child"):
            own[side] += np.where(own[side] == _LEAF, 0, start)
        start += len(tree)
    return nodes, roots


def _lead_to_each(roots: list[int], feature: int, nodes: Array) -> None:
    """Fill the first nodes: by halves, the number in ``feature`` leads to one of ``roots``."""
    places = count()

    def node_for(first: int, last: int) -> int:
        if first == last:
            return roots[first]
        place, middle = next(places), (first + last) // 2
        node = nodes[place]
        node["feature"], node["threshold"] = feature, middle + 0.5
        node["left_child"] = node_for(first, middle)
        node["right_child"] = node_for(middle + 1, last)
        return place

    node_for(0, len(roots) - 1)
