"""The models that were compared, from a constant to the chosen one.

Each takes the cells to learn from and the cells to answer, and returns shares of shape (cells,
outcomes). Counts are weights throughout: with force, crime and month as features, they teach the
same as single records.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from .cells import ANY_FORCE, Lookup, check_every_outcome, lookup_of, matrix, with_any_force
from .evaluate import Array

SEED = 2025
Candidate = Callable[[pd.DataFrame, pd.DataFrame], Array]


@dataclass(frozen=True)
class Learnt:
    """The chosen model, with the cells it learnt from."""

    cells: pd.DataFrame
    lookup: Lookup
    estimator: HistGradientBoostingClassifier
    rising: Mapping[str, float] = field(default_factory=dict)  # by force; training/lessons.py

    def shares(self, cells: pd.DataFrame) -> Array:
        """The model's shares for ``cells``, of shape (cells, outcomes)."""
        return _answer(self.estimator, matrix(cells, self.lookup))

    def national_shares(self, cells: pd.DataFrame) -> Array:
        """The shares if the forces of ``cells`` were unknown."""
        rows = matrix(cells, self.lookup)
        rows[:, 0] = self.lookup["force"][ANY_FORCE]
        return _answer(self.estimator, rows)


def learn(cells: pd.DataFrame, rounds: int = 200, lessons: pd.DataFrame | None = None) -> Learnt:
    """Histogram gradient boosting, which learns what forces, crimes and months have in common.

    ``l2_regularization`` keeps small cells near their neighbours, as empirical Bayes does.
    ``lessons`` are the counts to learn from, if they differ from those of ``cells``
    (training/lessons.py). Raises FiguresError when one of the outcomes never occurs.
    """
    check_every_outcome(cells)
    every = with_any_force(cells if lessons is None else lessons)
    lookup = lookup_of(every)
    estimator = HistGradientBoostingClassifier(
        max_iter=rounds,
        l2_regularization=100,
        categorical_features=[True, True, False],  # force, crime, month
        early_stopping=False,
        random_state=SEED,
    )
    rows, classes, weights = _records(matrix(every, lookup), every)
    return Learnt(cells, lookup, estimator.fit(rows, classes, sample_weight=weights))


def constant(before: pd.DataFrame, after: pd.DataFrame) -> Array:
    """The same shares for every cell, which any model must beat."""
    counts = before.sum().to_numpy()
    return np.tile(counts / counts.sum(), (len(after), 1))


def crime_rates(before: pd.DataFrame, after: pd.DataFrame) -> Array:
    """The national shares of each type of crime; of a new type, those of all crimes."""
    counts = before.groupby(level="crime").sum()
    shares = counts.div(counts.sum(axis=1), axis=0)
    known = np.asarray(shares.reindex(after.index.get_level_values("crime")), dtype=np.float64)
    return np.where(np.isnan(known), constant(before, after), known)


def forest(before: pd.DataFrame, after: pd.DataFrame, trees: int = 120) -> Array:
    """The classic random forest; with weights it needs ``max_samples=1.0`` (scikit-learn 1.9)."""
    lookup = lookup_of(before)
    rows, classes, weights = _records(matrix(before, lookup), before)
    model = RandomForestClassifier(trees, max_samples=1.0, random_state=SEED)
    return _answer(model.fit(rows, classes, sample_weight=weights), matrix(after, lookup))


def logistic(before: pd.DataFrame, after: pd.DataFrame) -> Array:
    """Logistic regression with one coefficient for each pair of force and crime."""
    lookup = lookup_of(before)
    rows, classes, weights = _records(_pairs(before, lookup), before)
    model = make_pipeline(
        OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=10, solver="newton-cholesky")
    )
    model.fit(rows, classes, logisticregression__sample_weight=weights)
    return _answer(model, _pairs(after, lookup))


def empirical_bayes(before: pd.DataFrame, after: pd.DataFrame, strength: float = 100) -> Array:
    """Each force's own shares, drawn towards the crime's national ones by ``strength`` crimes."""
    own = before.groupby(level=["force", "crime"]).sum()
    own = own.reindex(after.index.droplevel("period"), fill_value=0).to_numpy()
    drawn = own + strength * crime_rates(before, after)
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True), dtype=np.float64)


def boosting(before: pd.DataFrame, after: pd.DataFrame) -> Array:
    """The chosen model; see ``learn``."""
    return learn(before).shares(after)


CANDIDATES: dict[str, Candidate] = {
    "constant": constant,
    "crime-only rate": crime_rates,
    "random forest": forest,
    "logistic regression": logistic,
    "empirical Bayes": empirical_bayes,
    "histogram gradient boosting": boosting,
}


def _records(rows: Array, cells: pd.DataFrame) -> tuple[Array, Array, Array]:
    """(row, class, weight) of every cell and outcome that occurs."""
    counts = cells.to_numpy(dtype=np.float64)
    outcomes = counts.shape[1]
    classes, weights = np.repeat(np.arange(outcomes), len(rows)), counts.T.ravel()
    seen = weights > 0
    return np.tile(rows, (outcomes, 1))[seen], classes[seen], weights[seen]


def _pairs(cells: pd.DataFrame, lookup: Lookup) -> Array:
    """One column: a number for each pair of force and crime."""
    force, crime, _ = matrix(cells, lookup).T
    return np.asarray(force * len(lookup["crime"]) + crime).reshape(-1, 1)


def _answer(model: Any, rows: Array) -> Array:
    return np.asarray(model.predict_proba(rows), dtype=np.float64)
