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


def _check_attributes(thing: Any) -> None:
    """No attribute may hide a method of its class."""
    for key in getattr(thing, "__dict__", {}):
        of_class = inspect.getattr_static(type(thing), key, None)
        if callable(of_class) or isinstance(of_class, _NO_CALLABLES):
            raise ArtifactError(f"the {type(thing).__name__} hides its method {key}")


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
    "HashingVectorizer": check_vectorizer,
    "NeighborsBase": check_neighbours,
    "OneHotEncoder": check_one_hot,
    "PolynomialFeatures": check_polynomial,
    "Tree": check_tree,
    "_BaseKMeans": check_centres,
    "_spbase": check_sparse,
}
