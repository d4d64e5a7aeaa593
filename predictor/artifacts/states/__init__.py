"""Checks of what compiled code trusts: indices, lengths and widths inside a loaded estimator.

scikit-learn's compiled loops follow a tree's child numbers or a support vector's count without
looking, so a crafted array would make them read (or write) memory that is not theirs. Every
check raises ArtifactError with a sentence.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from predictor.artifacts.errors import ArtifactError

from .soundness import objects, require
from .transformers import (
    check_bins,
    check_function,
    check_infrequent,
    check_leaves,
    check_one_hot,
    check_polynomial,
    check_sparse,
    check_vectorizer,
    check_vocabulary,
)
from .trees import (
    check_boosting,
    check_decision_tree,
    check_forest,
    check_histogram_boosting,
    check_subspaces,
    check_tree,
)
from .vectors import (
    check_birch,
    check_centres,
    check_coefficients,
    check_neighbour_tree,
    check_neighbours,
    check_support_vectors,
)

# What a part that is missing, or is something else, makes a check raise.
_NOT_WHOLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

_NO_CALLABLES = (staticmethod, classmethod)


def make_single_threaded(root: Any) -> None:
    """Make a loaded estimator fit for a server: one thread of its own per request, no chatter."""
    for thing in objects(root):
        attributes = getattr(thing, "__dict__", {})
        for key, value in (("n_jobs", 1), ("_n_threads", 1), ("verbose", 0)):
            if attributes.get(key) is not None:
                attributes[key] = value


def check_states(root: Any) -> None:
    """Raises ArtifactError when an array inside ``root`` would mislead compiled code."""
    for thing in objects(root):
        _check_attributes(thing)
        for cls in type(thing).__mro__:
            if check := _CHECKS.get(cls.__name__) if cls.__module__.startswith("s") else None:
                try:
                    check(thing)
                except ArtifactError:
                    raise
                except _NOT_WHOLE as error:
                    raise ArtifactError(
                        f"the {type(thing).__name__} is not whole: {error}"
                    ) from error


# Widths and counts that comparisons trust: an object of another kind compares as it likes.
_COUNTS = frozenset({
    "n_features_in_", "n_classes_", "n_outputs_", "n_samples_fit_", "n_output_features_",
    "n_trees_per_iteration_", "max_features_", "n_components_", "n_clusters", "shape_fit_",
    "_n_features_outs", "_n_out_full", "n_features_", "n_bins_", "_n_classes", "n_iter_",
})  # fmt: skip


def _check_attributes(thing: Any) -> None:
    """No attribute may hide a method of its class, count in odd numbers, or be a kernel's code."""
    for key, value in getattr(thing, "__dict__", {}).items():
        require(key not in _COUNTS or _is_count(value), f"{key} is no number")
        require(not (key == "kernel" and inspect.isroutine(value)),
                "a kernel is a function, which may answer with any memory")  # fmt: skip
        of_class = inspect.getattr_static(type(thing), key, None)
        if callable(of_class) or isinstance(of_class, _NO_CALLABLES):
            raise ArtifactError(f"the {type(thing).__name__} hides its method {key}")


def _is_count(value: Any) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_count, value))
    if type(value) is np.ndarray:
        return value.dtype.kind in "iu" or (value.dtype == object and _is_count(value.tolist()))
    return value is None or type(value) in (int, bool) or isinstance(value, np.integer)


# --- arrays ---------------------------------------------------------------------------------


def _check_spline(spline: Any) -> None:
    knots, weights, degree = np.asarray(spline.t), np.asarray(spline.c), spline.k
    require(
        isinstance(degree, int | np.integer) and 0 <= degree < 100, "a spline has an odd degree"
    )
    require(knots.ndim == 1 and knots.dtype.kind == "f" and np.isfinite(knots).all()
             and (np.diff(knots) >= 0).all() and len(knots) >= 2 * degree + 2
             and len(weights) >= len(knots) - degree - 1, "a spline has odd knots")  # fmt: skip


_CHECKS: dict[str, Callable[[Any], None]] = {
    "BSpline": _check_spline,
    "BaseDecisionTree": check_decision_tree,
    "BaseForest": check_forest,
    "BaseGradientBoosting": check_boosting,
    "BaseHistGradientBoosting": check_histogram_boosting,
    "BaseBagging": check_subspaces,
    "BaseEstimator": check_coefficients,
    "BaseLibSVM": check_support_vectors,
    "BinaryTree32": check_neighbour_tree,
    "BinaryTree64": check_neighbour_tree,
    "Birch": check_birch,
    "CountVectorizer": check_vectorizer,
    "DictVectorizer": check_vocabulary,
    "FunctionTransformer": check_function,
    "HashingVectorizer": check_vectorizer,
    "KBinsDiscretizer": check_bins,
    "NeighborsBase": check_neighbours,
    "OneHotEncoder": check_one_hot,
    "PolynomialFeatures": check_polynomial,
    "RandomTreesEmbedding": check_leaves,
    "Tree": check_tree,
    "_BaseEncoder": check_infrequent,
    "_BaseKMeans": check_centres,
    "_spbase": check_sparse,
}
