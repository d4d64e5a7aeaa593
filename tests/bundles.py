"""Small fitted models for the tests, written as versions into a folder."""

from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from predictor.artifacts.files import write_version

CITIES = ["Gotham", "Metropolis", "Blüdhaven"]
LOOKUP: OrderedDict[str, Any] = OrderedDict(
    city=OrderedDict((city, code) for code, city in enumerate(CITIES)),
    villain={"Joker": 0, "Penguin": 1, "Riddler": 2, "Catwoman": 3},
    hour=0,
)
FLAGS = ["escapes", "jailed"]
METADATA: dict[str, Any] = {
    "title": "Arkham",
    "description": "Who escapes, and when.",
    "features": {
        "hour": {"title": "Hour of day", "minimum": 0, "maximum": 23, "integer": True},
        "villain": {"help": "The usual suspects."},
    },
    "outputs": {"escapes": {"title": "Gets away"}, "jailed": {"title": "Back to Arkham"}},
}
ITEM = {"city": "Gotham", "villain": "Joker", "hour": 3}


@cache
def fitted(seed: int = 0) -> LogisticRegression:
    """A logistic regression over LOOKUP's columns."""
    random = np.random.default_rng(seed)
    columns = [random.integers(0, high, 200) for high in (3, 4, 24)]
    rows = np.column_stack(columns).astype(float)
    caught = random.random(200) < 0.2 + 0.15 * rows[:, 1]
    return LogisticRegression().fit(rows, caught)


def install(
    root: Path,
    model: str = "arkham",
    version: str = "1.0.0",
    estimator: Any = None,
    lookup: Any = LOOKUP,
    flags: Any = FLAGS,
    metadata: Any = METADATA,
    support: Any = None,
) -> Path:
    """Write a version under ``root``; parts that are not given are Arkham's."""
    estimator = fitted() if estimator is None else estimator
    # a fixed time, so that the same version has the same fingerprint
    metadata = {"created": "2026-01-01T00:00:00+00:00", **(metadata or {})}
    return write_version(root / model / version, estimator, lookup, flags, metadata, support)
