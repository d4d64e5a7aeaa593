"""``python -m training.crime``: what becomes of a recorded crime, by force, type and month.

Two models of the same figures: ``crime`` answers whether someone is caught, ``crime-outcomes``
(``--outcomes``) which of seven things happens.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .bundle import Bundle
from .candidates import SEED, constant, crime_rates, learn
from .cells import by_caught, check_every_outcome, split_by_time, usable_cells
from .crime_metadata import absent, baseline, data, features
from .evaluate import ceiling, log_loss, quality
from .figures import read_figures
from .intervals import coverage, spreads, support_table
from .limits import limits
from .outcome_groups import GROUPS
from .trainer import train_and_write, trainer

FIGURES = Path(__file__).parent.parent / "data/crime/outcome-counts-2025.csv.gz"


@dataclass(frozen=True)
class Question:
    """What one of the two models answers."""

    name: str
    title: str
    description: str
    flags: Mapping[str, str]  # name → shown title, in the order of the cells' columns
    rounds: int  # of boosting; more do not lower the held-out log loss


CAUGHT_OR_NOT = Question(
    name="crime",
    title="Will they be caught?",
    description=(
        "The share of similar recorded crimes that ended in a charge, a caution, a penalty or a "
        "local resolution. It says nothing about any person, and recording practice differs "
        "between forces, so it ranks none of them."
    ),
    flags={"notCaughtProb": "Gets away", "caughtProb": "Caught"},
    rounds=200,
)
SEVEN_OUTCOMES = Question(
    name="crime-outcomes",
    title="What becomes of the case?",
    description=(
        "The share of similar recorded crimes that ended in each of seven ways. It says nothing "
        "about any person, and recording practice differs between forces, so it ranks none of them."
    ),
    flags={group.value: group.value for group in GROUPS},
    rounds=100,
)


def train(question: Question, figures_path: Path = FIGURES) -> Bundle:
    """Test on the last quarter what the months before teach; publish what all months teach.

    Raises FiguresError when the figures cannot be used.
    """
    figures = read_figures(figures_path)
    cells = usable_cells(figures)
    if question is CAUGHT_OR_NOT:
        cells = by_caught(cells)
    flags = list(question.flags)
    metrics, support = _tested(cells, question.rounds, flags)
    started = time.perf_counter()
    learnt = learn(cells, question.rounds)
    fitted = time.perf_counter() - started
    return Bundle(
        name=question.name,
        estimator=learnt.estimator,
        lookup=learnt.lookup,
        flags=flags,
        metadata={
            "title": question.title,
            "description": question.description,
            "data": data(figures, cells),
            "metrics": metrics,
            "baseline": baseline(cells),
            "features": features(learnt.lookup, figures),
            "limits": limits(figures, cells, absent(learnt.lookup)),
            "outputs": {flag: {"title": title} for flag, title in question.flags.items()},
            "training": {"program": "training.crime", "seed": SEED, "rounds": question.rounds},
        },
        support=support(learnt),
        fit_seconds=fitted,
    )


def _tested(cells: pd.DataFrame, rounds: int, flags: list[str]) -> Any:
    before, after = split_by_time(cells)
    learnt = learn(before, rounds)
    earlier, middle = split_by_time(before)
    spread_then = spreads(learn(earlier, rounds), middle)
    check_every_outcome(after)
    held = coverage(learnt, after, spread_then)
    truth = after.to_numpy(dtype=np.float64)
    periods = after.index.unique("period")
    metrics = {
        "tested_on": f"{periods.min()} to {periods.max()}, trained on the months before",
        "crimes": int(truth.sum()),
        **quality(learnt.shares(after), truth).rounded(),
        "log_loss_of_constant": round(log_loss(constant(before, after), truth), 5),
        "log_loss_of_crime_rates": round(log_loss(crime_rates(before, after), truth), 5),
        "log_loss_of_perfect_rates": round(ceiling(truth), 5),
        "interval_coverage_lowest": round(min(held), 4),
        "interval_coverage_highest": round(max(held), 4),
    }
    return metrics, partial(support_table, found=spreads(learnt, after), flags=flags)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = trainer("training.crime", __doc__)
    parser.add_argument("--outcomes", action="store_true", help="train crime-outcomes")
    parser.add_argument(
        "--figures",
        type=Path,
        default=FIGURES,
        help="what python -m training.aggregate wrote (default: those of 2025)",
    )
    options = parser.parse_args(arguments)
    question = SEVEN_OUTCOMES if options.outcomes else CAUGHT_OR_NOT
    train_and_write(options, question.name, partial(train, question, options.figures))


if __name__ == "__main__":
    main()
