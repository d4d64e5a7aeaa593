"""Which columns a step of a pipeline passes on, and which estimators it contains."""

from collections.abc import Iterator, Sequence
from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .findings import Column, is_nothing

IMPUTERS = frozenset({"SimpleImputer", "KNNImputer", "IterativeImputer"})
_FITTED = (
    "best_estimator_", "estimator_", "regressor_", "classifier_", "final_estimator_", "estimators_",
    "calibrated_classifiers_",
)  # fmt: skip
# The parameter that the fitted parts are copies of; without copies it may be fitted itself.
_GIVEN = ("estimator",)


def inside(step: Any) -> Iterator[Any]:
    """The fitted estimators inside ``step`` that get the same columns as it does."""
    yield from list(_members(step, _FITTED)) or filter(_is_fitted, _members(step, _GIVEN))


def _members(step: Any, keys: Sequence[str]) -> Iterator[Any]:
    for key in keys:
        inner = vars(step).get(key) if hasattr(step, "__dict__") else None
        members = inner if isinstance(inner, list) else [] if inner is None else [inner]
        for member in members:
            if hasattr(member, "__dict__") and not isinstance(member, type):
                yield member


def _is_fitted(estimator: Any) -> bool:
    try:
        check_is_fitted(estimator)
    except (AttributeError, TypeError, NotFittedError):  # not scikit-learn's, or empty
        return False
    return True


def kinds_of(step: Any) -> set[str]:
    """The names of its classes: a class of another library may derive from scikit-learn's."""
    return {cls.__name__ for cls in type(step).__mro__}


def after(step: Any, columns: list[Column], names: set[str]) -> list[Column] | None:
    """The columns after a transformer, as far as each can still be traced to one before it."""
    if names & IMPUTERS:
        return _imputed(step, columns)
    if "SelectorMixin" in names:
        return [c for c, kept in zip(columns, step.get_support(), strict=True) if kept]
    if "FunctionTransformer" in names:
        plain = step.func is None
        return columns if plain else [Column(c.feature, raw=False) for c in columns]
    same = "OneToOneFeatureMixin" in names
    return [Column(c.feature, raw=False) for c in columns] if same else None


def _imputed(step: Any, columns: list[Column]) -> list[Column]:
    """Without the columns that had no value, with the indicator columns for missing values."""
    statistics = vars(step).get("statistics_")
    kept = list(columns)
    if statistics is not None and len(statistics) == len(columns):
        kept = [c for c, value in zip(columns, statistics, strict=True)
                if not is_nothing(value)]  # fmt: skip
    extra = getattr(vars(step).get("indicator_"), "features_", [])
    return kept + [Column(columns[place].feature, raw=False) for place in extra]


def joined(parts: Sequence[list[Column] | None]) -> list[Column] | None:
    """The columns of several steps side by side; None where those of one step are unknown."""
    if any(part is None for part in parts):
        return None
    return [column for part in parts if part for column in part]
