"""``python -m training.titanic``: who of the 2,201 people aboard the Titanic survived.

The second demo model shows that the server has no code about crime. It learns from a table of 32
cells: class, sex, age, survived, count.
"""

import csv
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures

from predictor.evidence.cases import TWIN, Cases

from .bundle import Bundle
from .evaluate import quality
from .open_data import DATA
from .trainer import train_and_write, trainer

PASSENGERS = DATA / "titanic/passengers.csv"
RULES = Path(__file__).parent / "rules" / "titanic.toml"
SEED = 1912
FLAGS = {"died": "Died", "survived": "Survived"}
LOOKUP = OrderedDict(
    {
        "class": {"1st": 0, "2nd": 1, "3rd": 2, "Crew": 3},
        "sex": {"Female": 0, "Male": 1},
        "age": {"Child": 0, "Adult": 1},
    }
)
LIMITS = [
    "It learnt from a table of 32 cells and repeats history: it teaches how Batcomputer works.",
    "Asked for a child among the crew, it gives an answer, though there was none aboard.",
]
FEATURES: dict[str, Any] = {
    "class": {
        "title": "Class",
        "help": "The ticket, or the crew.",
        "default": "3rd",
        "labels": {"1st": "First class", "2nd": "Second class", "3rd": "Third class"},
    },
    "sex": {"title": "Sex", "default": "Female"},
    "age": {"title": "Age", "default": "Adult"},
}
SOURCE = (
    "British Board of Trade (1990), Report on the Loss of the 'Titanic' (S.S.), reprint, "
    "as arranged by Dawson (1995), Journal of Statistics Education 3(3)"
)


def read_people(path: Path = PASSENGERS) -> np.ndarray:
    """One row per person aboard: codes of class, sex and age, then 1 for a survivor."""
    with open(path, encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    rows = [
        [*(codes[cell[name]] for name, codes in LOOKUP.items()), cell["survived"] == "Yes"]
        for cell in cells
    ]
    return np.repeat(np.array(rows, dtype=np.float64), [int(c["count"]) for c in cells], axis=0)


def estimator() -> Pipeline:
    """Logistic regression with an interaction for every pair of features."""
    return make_pipeline(
        OneHotEncoder(sparse_output=False),
        PolynomialFeatures(degree=2, interaction_only=True, include_bias=False),
        LogisticRegression(max_iter=1000),
    )


def train() -> Bundle:
    """Fit on all people; test on each tenth of them a model of the other nine tenths."""
    people = read_people()
    rows, survived = people[:, :-1], people[:, -1].astype(int)
    tenths = StratifiedKFold(10, shuffle=True, random_state=SEED)
    unseen = cross_val_predict(estimator(), rows, survived, cv=tenths, method="predict_proba")
    found = quality(unseen, np.eye(2)[survived])
    return Bundle(
        name="titanic",
        estimator=estimator().fit(rows, survived),
        lookup=LOOKUP,
        flags=list(FLAGS),
        metadata={
            "title": "Would you have survived the Titanic?",
            "description": (
                "The share of the people of that class, sex and age aboard the Titanic who died "
                "and who survived, 15 April 1912."
            ),
            "data": {
                "source": SOURCE,
                "licence": "facts of a public report",
                "period": "1912-04-15",
                "rows": len(people),
            },
            "metrics": {"tested_on": "each tenth in turn", **found.rounded()},
            "baseline": _baseline(rows),
            "features": FEATURES,
            "limits": LIMITS,
            "outputs": {flag: {"title": title} for flag, title in FLAGS.items()},
            "training": {"program": "training.titanic", "seed": SEED},
        },
        cases=_cases(rows, survived, unseen),
    )


def _cases(rows: np.ndarray, survived: np.ndarray, unseen: np.ndarray) -> Cases:
    """Every person, with the answer of the model that has not learnt them."""
    labels = [{code: label for label, code in codes.items()} for codes in LOOKUP.values()]
    return Cases(
        features=tuple(LOOKUP),
        flags=tuple(FLAGS),
        rows=[tuple(named[code] for named, code in zip(labels, row, strict=True)) for row in rows],
        counts=[(1.0 - lived, float(lived)) for lived in survived],
        scores={TWIN: [tuple(shares) for shares in unseen.tolist()]},
    )


def _baseline(rows: np.ndarray) -> dict[str, dict[str, float]]:
    return {
        name: {label: round(float((rows[:, i] == code).mean()), 6) for label, code in codes.items()}
        for i, (name, codes) in enumerate(LOOKUP.items())
    }


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    options = trainer("training.titanic", __doc__).parse_args(arguments)
    train_and_write(options, "titanic", train, RULES)


if __name__ == "__main__":
    main()
