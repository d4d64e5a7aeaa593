"""Checks of what compiled code relies on: indices, lengths and widths in a loaded estimator.

scikit-learn's compiled loops follow a tree's child numbers or a support vector count unchecked, so
a crafted array would make them read (or write) outside their memory. Every check raises
ArtifactError with a sentence.
"""

import inspect
from collections.abc import Callable
from functools import cached_property
from operator import is_not
from typing import Any

import numpy as np

from predictor.artifacts.errors import ArtifactError

from .soundness import objects, require
from .transformers import (
    check_bins,
    check_encodings,
    check_function,
    check_hasher,
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
    check_order,
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

# What a check raises for a part that is missing or of another type.
_NOT_WHOLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def make_single_threaded(root: Any) -> None:
    """Make a loaded estimator fit for a server: one thread per request, no printed output."""
    for thing in objects(root):
        attributes = getattr(thing, "__dict__", {})
        for key, value in (("n_jobs", 1), ("_n_threads", 1), ("verbose", 0)):
            if attributes.get(key) is not None:
                attributes[key] = value


def make_constant(root: Any) -> None:
    """Make arrays read-only, so that no call can leave anything in them for the next."""
    for thing in (root, *objects(root)):
        held = (
            dict(enumerate(thing))
            if isinstance(thing, list | tuple)
            else getattr(thing, "__dict__", {})
        )
        for key, array in held.items():
            if type(array) is np.ndarray and array.dtype != object and key not in _ASKED_FOR:
                array.flags.writeable = False


# Arrays, and lists of trees, that compiled code accepts only if they are writable.
_ASKED_FOR = frozenset({"dual_coef_", "_dual_coef_", "_intercept_", "_probA", "_probB"})


def restorer(root: Any) -> Callable[[], None]:
    """A function that resets each estimator in ``root`` to the attributes it has now.

    It is called before each row is scored, so that no estimator answers with what it learnt from
    other rows: some learn from missing values (an imputer its first guesses, from the first rows).
    """
    held = [
        (vars(thing), dict(vars(thing)))
        for thing in objects(root)
        if hasattr(thing, "get_params") and hasattr(thing, "__dict__")
    ]

    def restore() -> None:
        for now, then in held:
            if len(now) != len(then) or any(map(is_not, now.values(), then.values())):
                now.clear()
                now.update(then)

    return restore


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


# Widths and counts in the comparisons below: an object of another type could define its own ==.
_COUNTS = frozenset({
    "n_features_in_", "n_classes_", "n_outputs_", "n_samples_fit_", "n_output_features_",
    "n_trees_per_iteration_", "max_features_", "n_components_", "n_clusters", "shape_fit_",
    "_n_features_outs", "_n_out_full", "n_features_", "n_bins_", "_n_classes", "n_iter_",
})  # fmt: skip


# Attributes in which scikit-learn itself keeps sparse matrices; in others, a comparison would give
# a matrix instead of true or false.
_MAY_BE_SPARSE = frozenset({
    "coef_", "dual_coef_", "_dual_coef_", "support_vectors_", "_fit_X", "_y", "X_fit_", "X_train_",
    "_BaseLibSVM__Xfit", "components_", "embedding_", "cluster_centers_", "subcluster_centers_",
    "feature_log_prob_", "feature_count_", "sparse_coef_", "_idf_diag", "connectivity",
})  # fmt: skip

# Parameters that may be functions, which are called with the rows.
_CALLED = frozenset({"kernel", "metric", "effective_metric_", "affinity", "weights", "strategy"})


def _check_attributes(thing: Any) -> None:
    """No attribute may hide a method, be an odd count, a function or a sparse matrix."""
    for key, value in getattr(thing, "__dict__", {}).items():
        require(key not in _COUNTS or _is_count(value) or _is_mean_count(key, value),
                f"{key} is no number")  # fmt: skip
        require(key in _MAY_BE_SPARSE or not _holds_sparse(value), f"{key} is a sparse matrix")
        require(key not in _CALLED or not callable(value) or _is_kernel(value),
                f"its {key} is a function, which may answer with any memory")  # fmt: skip
        of_class = inspect.getattr_static(type(thing), key, None)
        if callable(of_class) or _is_method(of_class):
            raise ArtifactError(f"the {type(thing).__name__} hides its method {key}")


def _is_method(of_class: Any) -> bool:
    """Whether the class attribute is a method, perhaps one that only some objects have."""
    kind = type(of_class)
    return hasattr(kind, "__get__") and not (hasattr(kind, "__set__") or kind is cached_property)


def _holds_sparse(value: Any) -> bool:
    if type(value) in (list, tuple):
        return any(map(_holds_sparse, value))
    if type(value) is np.ndarray and value.dtype == object:
        return any(map(_holds_sparse, value.ravel().tolist()))
    return hasattr(value, "tocsr")


def _is_kernel(value: Any) -> bool:
    """Whether this is a Gaussian process's kernel: an object of a listed class."""
    return type(value).__module__ == "sklearn.gaussian_process.kernels"


def _is_count(value: Any) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_count, value))
    if type(value) is np.ndarray:
        return value.dtype.kind in "iu" or (value.dtype == object and _is_count(value.tolist()))
    return value is None or type(value) in (int, bool) or isinstance(value, np.integer)


def _is_mean_count(key: str, value: Any) -> bool:
    """Whether this is the count of learning in small batches: a float, for parts of a round."""
    return key == "n_iter_" and type(value) in (float, np.float64)


# --- arrays ---------------------------------------------------------------------------------


def _check_spline(spline: Any) -> None:
    knots, weights, degree = np.asarray(spline.t), np.asarray(spline.c), spline.k
    require(
        isinstance(degree, int | np.integer) and 0 <= degree < 100, "a spline has an odd degree"
    )
    good = knots.dtype == weights.dtype == np.float64 and knots.ndim == 1
    good = good and len(knots) >= 2 * degree + 2 and len(weights) >= len(knots) - degree - 1
    require(good and np.isfinite(knots).all() and (np.diff(knots) >= 0).all(),
            "a spline has odd knots")  # fmt: skip


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
    "FeatureHasher": check_hasher,
    "FunctionTransformer": check_function,
    "HashingVectorizer": check_hasher,
    "KBinsDiscretizer": check_bins,
    "NeighborsBase": check_neighbours,
    "OneHotEncoder": check_one_hot,
    "PolynomialFeatures": check_polynomial,
    "RandomTreesEmbedding": check_leaves,
    "TargetEncoder": check_encodings,
    "Tree": check_tree,
    "_BaseChain": check_order,
    "_BaseEncoder": check_infrequent,
    "_BaseKMeans": check_centres,
    "_spbase": check_sparse,
}
