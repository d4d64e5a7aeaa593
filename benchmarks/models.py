"""The models that every side serves: created once, kept in ``benchmarks/.made/``."""

from __future__ import annotations

import pickle
import random
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from predictor.artifacts.files import FLAGS, LOOKUP, MODEL, write_version
from training.outcome_groups import CAUGHT, group_of

ROOT = Path(__file__).resolve().parent.parent
MADE = ROOT / "benchmarks" / ".made"
FIGURES = ROOT / "data" / "crime" / "outcome-counts-2025.csv.gz"
TREES = 120
Item = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """A model on disk, and items to score."""

    folder: Path  # …/<model>/<version>
    items: list[Item]

    @cached_property
    def estimator(self) -> Any:
        """The estimator, loaded with pickle."""
        return pickle.loads((self.folder / MODEL).read_bytes())

    @cached_property
    def lookup(self) -> dict[str, Any]:
        return dict(pickle.loads((self.folder / LOOKUP).read_bytes()))

    @cached_property
    def flags(self) -> list[str]:
        return list(pickle.loads((self.folder / FLAGS).read_bytes()))

    def rows(self, items: list[Item]) -> list[list[float]]:
        """``items`` as the numbers on which the estimator was trained."""
        return [
            [
                float(codes[item[name]] if codes else item[name])
                for name, codes in self.lookup.items()
            ]
            for item in items
        ]

    def scores(self, items: list[Item]) -> list[list[float]]:
        """The estimator's own scores."""
        return list(self.estimator.predict_proba(np.array(self.rows(items))).tolist())


def crime() -> Subject:
    """A forest of 120 trees over force, crime and month: 6,084 possible items."""
    return Subject(_made("crime", _crime_forest), _crime_items(1_000))


def weather() -> Subject:
    """A forest of 120 trees over eight measured numbers: no item occurs twice."""
    return Subject(_made("weather", _weather_forest), _weather_items(20_000))


def _made(name: str, make: Any) -> Path:
    folder = MADE / "models" / name / "1.0.0"
    return folder if folder.exists() else write_version(folder, *make())


def _crime_forest() -> tuple[Any, ...]:
    counts = known_outcomes()
    lookup: OrderedDict[str, Any] = OrderedDict(
        (column, {label: code for code, label in enumerate(sorted(counts[column].unique()))})
        for column in ("force", "crime")
    )
    months = counts.month.str[-2:].astype(int)
    rows = np.column_stack(
        [counts.force.map(lookup["force"]), counts.crime.map(lookup["crime"]), months]
    )
    caught = counts.outcome.map(group_of).isin(CAUGHT)
    # a row stands for `count` crimes; a bootstrap over weighted rows needs scikit-learn 1.9
    forest = RandomForestClassifier(TREES, max_samples=1.0, n_jobs=-1, random_state=0)
    forest.fit(rows.astype(float), caught, sample_weight=counts["count"])
    lookup["month"] = 0
    features = {"month": {"minimum": 1, "maximum": 12, "integer": True}}
    metadata = {"title": "Crime forest", "features": features}
    return forest.set_params(n_jobs=None), lookup, ["not caught", "caught"], metadata


def _crime_items(count: int) -> list[Item]:
    counts = known_outcomes()
    forces, crimes = sorted(counts.force.unique()), sorted(counts.crime.unique())
    chance = random.Random(7)  # noqa: S311 - the same items in every run
    return [
        {
            "force": chance.choice(forces),
            "crime": chance.choice(crimes),
            "month": chance.randint(1, 12),
        }
        for _ in range(count)
    ]


def known_outcomes() -> pd.DataFrame:
    """The committed figures of England and Wales whose outcome is known."""
    counts = pd.read_csv(FIGURES, keep_default_na=False)
    known = counts.outcome.map(group_of).notna()
    return counts[known & ~counts.force.str.contains("Northern Ireland|Transport")]


MEASURED = ("pressure", "humidity", "wind", "cloud", "dew", "rain", "sun", "temperature")


def _weather_forest() -> tuple[Any, ...]:
    chance = np.random.default_rng(7)
    rows = chance.normal(size=(20_000, len(MEASURED)))
    dry = rows[:, 0] + rows[:, 1] * rows[:, 2] + chance.normal(size=len(rows)) > 0
    forest = RandomForestClassifier(TREES, n_jobs=-1, random_state=0).fit(rows, dry)
    lookup = OrderedDict((name, 0) for name in MEASURED)
    return forest.set_params(n_jobs=None), lookup, ["wet", "dry"], {"title": "Weather forest"}


def _weather_items(count: int) -> list[Item]:
    rows = np.random.default_rng(11).normal(size=(count, len(MEASURED))).round(9)
    return [dict(zip(MEASURED, row, strict=True)) for row in rows.tolist()]
