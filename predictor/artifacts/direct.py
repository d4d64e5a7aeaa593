"""Shorter ways to an estimator's own numbers, for a few rows at a time.

For one row, ``predict_proba`` of a forest spends nine tenths of its time on checking input and on
setting up threads. These ways leave that out and do the same arithmetic in the same order.
Nothing is taken on trust: ``shortcut`` compares them with the estimator on sample rows and gives
none when a single bit differs, so a new scikit-learn can make them useless, not wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.utils.extmath import softmax

from .merged_forest import Array, MergedForest

_PART = 1_000  # rows that walk a forest at once: each is repeated for every tree

ScoreFunction = Callable[[Array], Array]

# What a broken assumption about another version's insides makes these ways raise.
_UNLIKE = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)


def shortcut(estimator: Any, own: ScoreFunction, sample: Sequence[Array]) -> ScoreFunction | None:
    """A way that gives what ``own`` (the estimator's) gives, to the bit, on all of ``sample``."""
    try:
        way = _shortcut_of(estimator)
        if way is not None and all(np.array_equal(way(rows), own(rows)) for rows in sample):
            return way
    except _UNLIKE:
        pass
    return None


def proven_before(estimator: Any) -> ScoreFunction | None:
    """The way that ``shortcut`` found for this very estimator when it was examined.

    From here on it is the only way: a forest's trees are let go once they are merged, but for the
    first, by which the forest checks its input.
    """
    way = _shortcut_of(estimator)
    last = estimator.steps[-1][1] if type(estimator).__name__ == "Pipeline" else estimator
    if way is not None and _SHORTCUTS[type(last).__name__] is _forest:
        del last.estimators_[1:]
    return way


def keeps_rows_apart(estimator: Any) -> bool:
    """Whether the way walks trees, row by row: the products of matrices round by their height."""
    return type(estimator).__name__ in _SHORTCUTS.keys() - _PRODUCTS


def _shortcut_of(estimator: Any) -> ScoreFunction | None:
    kind = type(estimator)
    make = _SHORTCUTS.get(kind.__name__) if kind.__module__.startswith("sklearn.") else None
    return make(estimator) if make else None


def _forest(forest: Any) -> ScoreFunction | None:
    if forest.n_outputs_ != 1:
        return None
    merged = MergedForest([tree.tree_ for tree in forest.estimators_])

    def score(rows: Array) -> Array:
        cells = _float32(rows)
        parts = [merged.mean(cells[at : at + _PART]) for at in range(0, len(cells), _PART)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    return score


def _gradient_boosting(booster: Any) -> ScoreFunction | None:
    if type(booster.init_).__name__ not in _FIRST_GUESSES:
        return None  # an estimator of the author's, which may not score row by row

    def score(rows: Array) -> Array:
        raw: Array = booster._raw_predict(_float32(rows))  # noqa: SLF001
        if hasattr(booster, "classes_"):
            raw = booster._loss.predict_proba(raw)  # noqa: SLF001
        return raw

    return score


def _histogram_boosting(booster: Any) -> ScoreFunction | None:
    if booster._preprocessor is not None:  # noqa: SLF001 - it has categories of its own
        return None
    classifies = hasattr(booster, "classes_")
    baseline, loss = booster._baseline_prediction, booster._loss  # noqa: SLF001
    bitsets, places = booster._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001
    trees = [
        (at, predictor.predict)
        for round_ in booster._predictors  # noqa: SLF001
        for at, predictor in enumerate(round_)
    ]

    def score(rows: Array) -> Array:
        raw = np.zeros((len(rows), booster.n_trees_per_iteration_), baseline.dtype, order="F")
        raw += baseline
        for at, predict in trees:
            raw[:, at] += predict(rows, bitsets, places, 1)
        scores: Array = loss.predict_proba(raw) if classifies else loss.link.inverse(raw)
        return scores

    return score


def _logistic(model: Any) -> ScoreFunction:
    weights, intercept = model.coef_.T, model.intercept_

    def score_two(rows: Array) -> Array:
        odds = expit((rows @ weights + intercept).reshape(-1))
        return np.vstack([1 - odds, odds]).T

    def score_more(rows: Array) -> Array:
        scores: Array = softmax(rows @ weights + intercept, copy=False)
        return scores

    return score_two if len(model.classes_) == 2 else score_more


def _linear(model: Any) -> ScoreFunction:
    weights, intercept = model.coef_.T, model.intercept_

    def score(rows: Array) -> Array:
        values: Array = (rows @ weights + intercept).reshape(len(rows), -1)
        return values

    return score


def _pipeline(pipeline: Any) -> ScoreFunction | None:
    *scalers, last = [step for _, step in pipeline.steps]
    way = _shortcut_of(last)
    if way is None or not all(type(scaler).__name__ == "StandardScaler" for scaler in scalers):
        return None

    def score(rows: Array) -> Array:
        for scaler in scalers:
            if scaler.with_mean:
                rows = rows - scaler.mean_
            if scaler.with_std:
                rows = rows / scaler.scale_
        return way(rows)

    return score


def _float32(rows: Array) -> Array:
    """``rows`` as trees read them. Raises OverflowError for what scikit-learn would refuse."""
    with np.errstate(over="ignore"):
        cells = rows.astype(np.float32)
    if not np.isfinite(cells).all():
        raise OverflowError("a number too large for float32")
    return cells


# by name: importing all these classes takes longer than loading one of them
_SHORTCUTS: dict[str, Callable[[Any], ScoreFunction | None]] = {
    "ExtraTreesClassifier": _forest,
    "ExtraTreesRegressor": _forest,
    "GradientBoostingClassifier": _gradient_boosting,
    "GradientBoostingRegressor": _gradient_boosting,
    "HistGradientBoostingClassifier": _histogram_boosting,
    "HistGradientBoostingRegressor": _histogram_boosting,
    "LinearRegression": _linear,
    "LogisticRegression": _logistic,
    "Pipeline": _pipeline,
    "RandomForestClassifier": _forest,
    "RandomForestRegressor": _forest,
    "Ridge": _linear,
}
# What a boosting model begins with: the same numbers for every row ("zero" is a str).
_FIRST_GUESSES = {"DummyClassifier", "DummyRegressor", "str"}
_PRODUCTS = {"LinearRegression", "LogisticRegression", "Pipeline", "Ridge"}
