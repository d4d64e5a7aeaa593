"""Checks of decision trees and ensembles, whose indices compiled code follows unchecked."""

from functools import partial
from typing import Any

import numpy as np

from .soundness import require, within


def _check_children(left: Any, right: Any, leaf: Any, what: str) -> None:
    """Children come after their parent, so following them ends."""
    count = len(leaf)
    own = np.arange(count)[~leaf]
    for children in (np.asarray(left)[~leaf], np.asarray(right)[~leaf]):
        require(within(children, 1, count) and bool((children > own).all()),
                 f"{what} leads out of itself or in a circle")  # fmt: skip


def check_tree(tree: Any) -> None:
    """Children and features of a compiled tree."""
    count = tree.node_count
    require(count > 0 and len(tree.children_left) == len(tree.value) == count, "a tree is empty")
    left, right = tree.children_left, tree.children_right
    leaf = left == -1
    require(bool((leaf == (right == -1)).all()), "a tree has half a leaf")
    _check_children(left, right, leaf, "a tree")
    require(within(tree.feature[~leaf], 0, tree.n_features), "a tree asks for unknown features")


def check_decision_tree(estimator: Any) -> None:
    """An estimator's tree is a tree, of its own features and outputs."""
    tree = getattr(estimator, "tree_", None)
    if tree is None:
        return
    require(type(tree).__name__ == "Tree", "a decision tree's tree_ is something else")
    require(tree.n_features == estimator.n_features_in_, "a tree has the wrong number of features")
    require(tree.n_outputs == estimator.n_outputs_, "a tree has the wrong number of outputs")


def check_forest(forest: Any) -> None:
    """A forest's trees have its features and outputs: it passes columns on unchecked."""
    trees = getattr(forest, "estimators_", [])
    shapes = {np.shape(tree.tree_.value)[1:] for tree in trees}
    require(len(shapes) < 2, "a forest's trees differ in their answers")
    for tree in trees:
        require(tree.n_features_in_ == forest.n_features_in_,
                 "a forest's trees differ in their features")  # fmt: skip


def check_subspaces(ensemble: Any) -> None:
    """Bagging and isolation forests give each estimator some of the columns."""
    members = getattr(ensemble, "estimators_", [])
    for member, columns in zip(members, getattr(ensemble, "estimators_features_", []), strict=True):
        require(
            within(columns, 0, ensemble.n_features_in_), "an ensemble asks for unknown features"
        )
        wanted = getattr(member, "n_features_in_", len(columns))
        require(wanted == len(columns), "an ensemble's members differ in their features")


def check_order(chain: Any) -> None:
    """A chain inverts its order to place its answers: each place must occur once."""
    order = getattr(chain, "order_", None)
    if order is not None:
        require(sorted(np.asarray(order).tolist()) == list(range(len(chain.estimators_))),
                "a chain has an odd order")  # fmt: skip


def check_boosting(boosting: Any) -> None:
    """Stages write into the array that ``init_`` makes, by their own number of columns."""
    stages = getattr(boosting, "estimators_", None)
    if stages is None:
        return
    require(stages.ndim == 2, "a boosting model's stages are no table")
    for tree in stages.ravel():
        require(type(tree).__name__ == "DecisionTreeRegressor"
                 and tree.n_features_in_ == boosting.n_features_in_
                 and tree.tree_.value.shape[1:] == (1, 1),
                 "a boosting model has an odd stage")  # fmt: skip
    for count in (1, 3):
        rows = np.zeros((count, boosting.n_features_in_), dtype=np.float32)
        first = boosting._raw_predict_init(rows)  # noqa: SLF001 - what the compiled loop writes to
        require(first.shape == (count, stages.shape[1]) and first.dtype == np.float64,
                 "a boosting model's first guess has the wrong shape")  # fmt: skip


def check_histogram_boosting(boosting: Any) -> None:
    """Nodes, sets of categories and bins."""
    features = getattr(boosting, "n_features_in_", 0)
    mapper = getattr(boosting, "_bin_mapper", None)
    known = np.zeros(features, dtype=bool)
    if mapper is not None:
        require(len(mapper.is_categorical_) == len(mapper.bin_thresholds_) == features,
                "a boosting model's bins are of another width")  # fmt: skip
        known = np.asarray(mapper.is_categorical_).astype(bool)
    _check_preprocessor(boosting, known)
    for predictor in (p for stage in getattr(boosting, "_predictors", []) for p in stage):
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        require(len(nodes) > 0, "a tree is empty")
        _check_children(
            nodes["left"].astype(np.int64), nodes["right"].astype(np.int64), leaf, "a tree"
        )
        require(
            within(nodes["feature_idx"][~leaf], 0, features), "a tree asks for unknown features"
        )
        by_category = nodes["is_categorical"].astype(bool) & ~leaf
        sets = predictor.raw_left_cat_bitsets
        require(sets.ndim == 2 and sets.shape[1] == 8, "a tree has odd sets of categories")
        require(within(nodes["bitset_idx"][by_category], 0, len(sets))
                and known[nodes["feature_idx"][by_category]].all(),
                "a tree has odd categories")  # fmt: skip


def _check_preprocessor(boosting: Any, known: Any) -> None:
    """The encoder before the trees gives each column once, categories first."""
    preprocessor = getattr(boosting, "_preprocessor", None)
    if preprocessor is None:
        require(not known.any() or not hasattr(boosting, "_predictors"),
                "a boosting model does not encode its categories")  # fmt: skip
        return
    _check_parts(preprocessor, boosting.n_features_in_)
    _check_columns(preprocessor, known)


_PARTS = [("encoder", "OrdinalEncoder"), ("numerical", "FunctionTransformer")]


def _check_parts(preprocessor: Any, features: int) -> None:
    """It has the two parts that fitting makes, and drops the other columns."""
    parts = preprocessor.transformers_
    kinds = [(name, type(part).__name__) for name, part, _ in parts[:2]]
    require(type(preprocessor).__name__ == "ColumnTransformer" and kinds == _PARTS
            and all(part == "drop" for _, part, _ in parts[2:])
            and preprocessor.n_features_in_ == features
            and isinstance(parts[1][1].func, partial) and not parts[1][1].kw_args,
            "a boosting model has odd columns")  # fmt: skip


def _check_columns(preprocessor: Any, known: Any) -> None:
    """Each column is in one of the two parts: the first ones, categories, in the encoder."""
    coded, plain = (np.asarray(columns) for *_, columns in preprocessor.transformers_[:2])
    require(coded.dtype == plain.dtype == bool and coded.shape == plain.shape == known.shape
            and bool((coded != plain).all()) and coded.sum() == known.sum()
            and known[: known.sum()].all(), "a boosting model has odd columns")  # fmt: skip
    places = preprocessor._transformer_to_input_indices  # noqa: SLF001 - by name, for a data frame
    for (name, _), columns in zip(_PARTS, (coded, plain), strict=True):
        require(np.array_equal(places[name], np.flatnonzero(columns)),
                "a boosting model has odd columns")  # fmt: skip
