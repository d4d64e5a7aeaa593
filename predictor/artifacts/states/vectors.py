"""Checks of neighbours, centres, support vectors and coefficients."""

from typing import Any

import numpy as np

from .soundness import numeric, objects, require, within


def check_neighbour_tree(tree: Any) -> None:
    """A KD or ball tree's indices, nodes, bounds, weights and distance."""
    data, order, nodes, bounds = map(np.asarray, tree.get_arrays())
    rows, width = data.shape
    require(order.shape == (rows,) and within(order, 0, rows), "a neighbour tree has odd indices")
    start, end, leaf = nodes["idx_start"], nodes["idx_end"], nodes["is_leaf"].astype(bool)
    require(len(nodes) > 0 and within(start, 0, rows + 1) and within(end, 0, rows + 1)
             and bool((start <= end).all()), "a neighbour tree has odd nodes")  # fmt: skip
    inner = np.flatnonzero(~leaf)
    require(not len(inner) or 2 * inner.max() + 2 < len(nodes), "a neighbour tree lacks nodes")
    require(bounds.shape[1:] == (len(nodes), width),
             "a neighbour tree has odd bounds")  # fmt: skip
    require(bounds.shape[0] == (2 if type(tree).__name__.startswith("KD") else 1),
             "a neighbour tree has odd bounds")  # fmt: skip
    state = tree.__getstate__()
    leaf_size, levels, counted = state[4:7]
    require(leaf_size > 0 and 0 < levels < 64 and counted == len(nodes) == 2**levels - 1,
            "a neighbour tree counts its nodes wrongly")  # fmt: skip
    weights = state[12]
    require(weights is None or len(weights) == rows, "a neighbour tree has odd weights")
    _check_metric(state[11], width)


def _check_metric(metric: Any, width: int) -> None:
    name = type(metric).__name__
    state = metric.__getstate__()
    # it reads two numbers of each row, however many there are
    require(not name.startswith("Haversine") or width == 2, "a distance is of points on a globe")
    if name.startswith("SEuclidean"):
        require(len(state[1]) == width, "a distance has weights of another width")
    if name.startswith("Mahalanobis"):
        require(np.shape(state[2]) == (width, width), "a distance has a matrix of another shape")
    if name.startswith("Minkowski"):
        require(len(state[1]) in (0, width), "a distance has weights of another width")


def check_neighbours(estimator: Any) -> None:
    """Samples, their tree and their answers belong together."""
    fitted = getattr(estimator, "_fit_X", None)
    if fitted is None:
        return
    if getattr(estimator, "effective_metric_", "") != "precomputed":
        numeric(fitted, estimator.n_features_in_, "a neighbour model's samples")
    _check_metric_params(estimator)
    tree = getattr(estimator, "_tree", None)
    require(tree is None or type(tree).__name__.startswith(("KDTree", "BallTree")),
             "a neighbour model's tree is something else")  # fmt: skip
    require(fitted.shape[0] == estimator.n_samples_fit_, "a neighbour model lost samples")
    labels, classes = getattr(estimator, "_y", None), getattr(estimator, "classes_", None)
    if labels is not None:
        require(len(labels) == fitted.shape[0], "a neighbour model lost answers")
    if labels is not None and classes is not None:
        several = classes if isinstance(classes, list) else [classes]
        columns = np.asarray(labels).reshape(len(labels), -1).T
        require(len(several) == len(columns), "a neighbour model has odd answers")
        for column, known in zip(columns, several, strict=True):
            require(within(column, 0, len(known)), "a neighbour model answers unknown classes")


def _check_metric_params(estimator: Any) -> None:
    """Parameters of distances between all pairs, whose width compiled code does not check.

    Besides weights and matrices, only plain numbers are allowed: fitting keeps no norms of rows,
    which compiled code would use unchecked.
    """
    width = estimator.n_features_in_
    shapes = {"V": ((width,), (width, width)), "VI": ((width, width),), "w": ((width,),)}
    for params in (estimator.effective_metric_params_, estimator.metric_params):
        for key, given in (params or {}).items():
            require(given is None or np.shape(given) in shapes.get(key, ((),)),
                    "a distance has parameters of another width")  # fmt: skip


def check_centres(estimator: Any) -> None:
    """Centres are as wide as the rows they are compared with."""
    centres = getattr(estimator, "cluster_centers_", None)
    if centres is not None and hasattr(estimator, "n_features_in_"):
        numeric(centres, estimator.n_features_in_, "cluster centres")
    for thing in objects(getattr(estimator, "_bisecting_tree", None)):
        if type(thing).__name__ == "_BisectingTree":
            numeric(thing.center, estimator.n_features_in_, "cluster centres")


def check_birch(birch: Any) -> None:
    """Centres and their norms belong together."""
    centres = getattr(birch, "subcluster_centers_", None)
    if centres is not None:
        numeric(centres, birch.n_features_in_, "cluster centres")
        require(np.shape(birch._subcluster_norms) == (len(centres),),  # noqa: SLF001
                 "cluster centres have odd norms")  # fmt: skip


def check_support_vectors(machine: Any) -> None:
    """Every count is right: libsvm does not check them."""
    vectors = getattr(machine, "support_vectors_", None)
    if vectors is None:
        return
    count, rows = len(machine.support_), machine.shape_fit_[0]
    require(within(machine.support_, 0, rows), "a support vector machine has odd indices")
    if machine.kernel != "precomputed":
        numeric(vectors, machine.n_features_in_, "support vectors")
        require(vectors.shape[0] == count, "a support vector machine lost vectors")
    classes = _check_vector_counts(machine, count)
    _check_weights(machine, classes, count)


def _check_vector_counts(machine: Any, count: int) -> int:
    """The counts of vectors by class add up; returns the number of classes, 2 of a regression."""
    several = type(machine)._impl in ("c_svc", "nu_svc")  # noqa: SLF001
    require("_impl" not in vars(machine), "a support vector machine is of another kind")
    classes = len(machine.classes_) if several else 2
    counted = np.asarray(machine._n_support)  # noqa: SLF001
    require(counted.shape == (classes,) and counted.dtype == np.int32 and (counted >= 0).all()
            and (not several or int(counted.sum()) == count),
            "a support vector machine counts its vectors wrongly")  # fmt: skip
    return classes


def _check_weights(machine: Any, classes: int, count: int) -> None:
    """There is a weight per vector, and an intercept per pair of classes."""
    pairs = classes * (classes - 1) // 2
    for coefficients in (machine.dual_coef_, machine._dual_coef_):
        require(coefficients.shape == (classes - 1, count), "a support vector machine lost weights")
        # libsvm reads a sparse matrix's values as if no zeros were left out
        require(not hasattr(coefficients, "nnz") or coefficients.nnz == (classes - 1) * count,
                "a support vector machine lost weights")  # fmt: skip
    for intercept in (machine.intercept_, machine._intercept_):
        require(np.shape(intercept) == (pairs,), "a support vector machine lost intercepts")
    for odds in (machine._probA, machine._probB):  # noqa: SLF001
        require(len(odds) in (0, pairs), "a support vector machine has odd probabilities")
    require(len(machine._probA) == len(machine._probB),  # noqa: SLF001
             "a support vector machine has odd probabilities")  # fmt: skip


def check_coefficients(estimator: Any) -> None:
    """Coefficients are as wide as the rows they are multiplied with."""
    width = getattr(estimator, "n_features_in_", None)
    coefficients = vars(estimator).get("coef_")
    if coefficients is not None:
        numeric(coefficients, width, "coefficients")
