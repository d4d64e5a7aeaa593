"""Cases and their outcomes, drawn from the committed figures; and four versions."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from benchmarks.models import Item, known_outcomes
from predictor.artifacts.files import write_version
from training.outcome_groups import CAUGHT, group_of

MODEL = "crime"
FLAGS = ("not caught", "caught")
FIRST, EQUAL, SWAPPED, SAME_FOR_ALL = "1.0.0", "1.1.0", "2.0.0", "3.0.0"
TITLES = {
    FIRST: "the first",
    EQUAL: "as good, with twice the rounds",
    SWAPPED: "its labels swapped",
    SAME_FOR_ALL: "the same answer to all",
}
_ROUNDS = 60
_FEATURES = ["force", "crime", "month"]


@dataclass(frozen=True)
class Case:
    """One case, and its outcome."""

    row: int  # index in the figures
    item: Item
    truth: str


class Crimes:
    """The figures of a year: a row for each force, crime, month and outcome."""

    def __init__(self) -> None:
        known = known_outcomes()
        caught = known.outcome.map(group_of).isin(CAUGHT).astype(int)
        month = known.month.str[-2:].astype(int)
        cells = known.assign(caught=caught, month=month).groupby([*_FEATURES, "caught"])
        self._rows: pd.DataFrame = cells["count"].sum().reset_index()
        self._trained: dict[str, Any] = {}

    def draw(self, chance: random.Random, count: int) -> list[Case]:
        """Random cases, as frequent as in the figures."""
        drawn = chance.choices(range(len(self._rows)), self._weights, k=count)
        return [Case(row, self._items[row], FLAGS[self._caught[row]]) for row in drawn]

    def write(self, version: str, models: Path) -> None:
        """Train a version, and put it into the server's folder."""
        flags = tuple(reversed(FLAGS)) if version == SWAPPED else FLAGS
        features = {"month": {"minimum": 1, "maximum": 12, "integer": True}}
        metadata = {"title": "Crime", "features": features}
        folder = models / MODEL / version
        write_version(folder, self._fitted(version), self._lookup, list(flags), metadata)

    def scores(self, version: str) -> Sequence[dict[str, float]]:
        """A version's answer to each row, from its estimator."""
        flags = tuple(reversed(FLAGS)) if version == SWAPPED else FLAGS
        answers = self._fitted(version).predict_proba(self._inputs).tolist()
        return [dict(zip(flags, answer, strict=True)) for answer in answers]

    def _fitted(self, version: str) -> Any:
        if version not in self._trained:
            self._trained[version] = self._fit(version)
        return self._trained[version]

    def _fit(self, version: str) -> Any:
        rounds = 2 * _ROUNDS if version == EQUAL else _ROUNDS
        boosting = HistGradientBoostingClassifier(
            max_iter=rounds, categorical_features=[0, 1], early_stopping=False, random_state=0
        )
        estimator = DummyClassifier() if version == SAME_FOR_ALL else boosting
        with threadpool_limits(1):  # more threads would wait for each other while the server works
            return estimator.fit(self._inputs, self._caught, sample_weight=self._weights)

    @cached_property
    def _lookup(self) -> OrderedDict[str, Any]:
        labels = {name: sorted(self._rows[name].unique()) for name in ("force", "crime")}
        coded = {name: {label: code for code, label in enumerate(labels[name])} for name in labels}
        return OrderedDict(coded | {"month": 0})

    @cached_property
    def _inputs(self) -> np.ndarray[Any, Any]:
        force, crime = (self._rows[name].map(self._lookup[name]) for name in ("force", "crime"))
        return np.column_stack([force, crime, self._rows["month"]]).astype(float)

    @cached_property
    def _items(self) -> list[Item]:
        return list(self._rows[_FEATURES].to_dict("records"))

    @cached_property
    def _caught(self) -> list[int]:
        return list(self._rows["caught"].tolist())

    @cached_property
    def _weights(self) -> list[int]:
        return list(self._rows["count"].tolist())
