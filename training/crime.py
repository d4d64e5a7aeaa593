"""``python -m training.crime``: what becomes of a recorded crime, by force, type and month.

Two models of the same figures: ``crime`` answers whether someone is caught, ``crime-outcomes``
(``--outcomes``) which of seven things happens.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from predictor.evidence.cases import Cases

from .bundle import Bundle
from .candidates import SEED, Learnt, constant, crime_rates, learn
from .cells import by_caught, check_every_outcome, split_by_time, usable_cells
from .crime_cases import crime_cases, rows_of
from .crime_metadata import absent, baseline, data, features, untested
from .evaluate import ceiling, log_loss, quality
from .figures import FiguresError, read_figures
from .figures_report import RULES, data_rules, examined
from .intervals import coverage, spreads, support_table
from .lessons import Past, lessons, rising
from .limits import limits
from .open_data import DATA
from .outcome_groups import GROUPS
from .recency import Learn, Memory, choose
from .trainer import train_and_write, trainer

FIGURES = DATA / "crime/outcome-counts-2025.csv.gz"


@dataclass(frozen=True)
class Question:
    """The question that one of the two models answers."""

    name: str
    title: str
    description: str
    flags: Mapping[str, str]  # name → shown title, in the order of the cells' columns
    rounds: int  # of boosting; on earlier quarters, 100 to 300 are equally good
    shape: Callable[[pd.DataFrame], pd.DataFrame]  # the seven groups' counts → the question's


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
    shape=by_caught,
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
    shape=lambda cells: cells,
)


def train(
    question: Question,
    figures_path: Path = FIGURES,
    *,
    rules: Path = RULES,
    force: bool = False,
    against: Path = FIGURES,
) -> Bundle:
    """Test a model of the earlier months on the last quarter; publish a model of all months.

    The figures are compared with those in ``against``. Raises FiguresError when they cannot be
    used, or a rule of ``rules`` stops them and ``force`` is not set.
    """
    known = None if against == figures_path else read_figures(against)
    report = examined(read_figures(figures_path), data_rules(rules), known)
    figures = report.figures
    cells = usable_cells(figures)
    check_every_outcome(question.shape(cells))
    if report.stops and not force:
        raise FiguresError("; ".join(report.stops[:5]) + " (--force lets them through)")

    def learn_from(some: pd.DataFrame, past: Past) -> Learnt:
        taught = lessons(some, figures, past)
        learnt = learn(question.shape(some), question.rounds, question.shape(taught))
        return replace(learnt, rising=rising(some, figures))

    test = _tested(cells, learn_from, question)
    started = time.perf_counter()
    learnt = learn_from(cells, test.memory.past)
    fitted = time.perf_counter() - started
    shaped, flags = question.shape(cells), list(question.flags)
    return Bundle(
        name=question.name,
        estimator=learnt.estimator,
        lookup=learnt.lookup,
        flags=flags,
        metadata={
            "title": question.title,
            "description": question.description,
            "data": data(report, shaped),
            "metrics": test.metrics,
            "baseline": baseline(shaped),
            "features": features(learnt.lookup, figures),
            "limits": limits(report, cells, absent(learnt.lookup)),
            "untested": untested(cells, test.after),
            "outputs": {flag: {"title": title} for flag, title in question.flags.items()},
            "training": {
                "program": "training.crime",
                "seed": SEED,
                "rounds": question.rounds,
                **test.memory.past.as_texts(),
            },
        },
        support=support_table(
            learnt, spreads([*test.memory.tested, (test.twin, test.after)]), flags
        ),
        cases=test.cases,
        published=rows_of(learnt.shares(test.after)),
        warnings=[finding.sentence for finding in report.findings],
        fit_seconds=fitted,
    )


@dataclass(frozen=True)
class _Test:
    """The results on the held-out quarter, of the twin: a model that has not learnt it."""

    twin: Learnt
    after: pd.DataFrame
    memory: Memory
    cases: Cases
    metrics: dict[str, Any]


def _tested(cells: pd.DataFrame, learn_from: Learn, question: Question) -> _Test:
    before, held_back = split_by_time(cells)
    memory = choose(before, learn_from, question.shape)
    twin, after = learn_from(before, memory.past), question.shape(held_back)
    check_every_outcome(after)
    spread_then = spreads(memory.tested)
    held = coverage(twin, after, spread_then)
    truth = after.to_numpy(dtype=np.float64)
    periods = after.index.unique("period")
    known = question.shape(before)
    metrics = {
        "tested_on": f"{periods.min()} to {periods.max()}, trained on the months before",
        "crimes": int(truth.sum()),
        **quality(twin.shares(after), truth).rounded(),
        "log_loss_of_constant": round(log_loss(constant(known, after), truth), 5),
        "log_loss_of_crime_rates": round(log_loss(crime_rates(known, after), truth), 5),
        "log_loss_of_perfect_rates": round(ceiling(truth), 5),
        "interval_coverage_lowest": round(min(held), 4),
        "interval_coverage_highest": round(max(held), 4),
        "chosen_on": "; ".join(
            f"{each.index.get_level_values('period').min()} and the two months after"
            for _, each in reversed(memory.tested)
        ),
    }
    cases = crime_cases(twin, after, spread_then, list(question.flags))
    return _Test(twin, after, memory, cases, metrics)


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
    parser.add_argument(
        "--against",
        type=Path,
        default=FIGURES,
        metavar="FIGURES",
        help="known figures that they are compared with (default: those of 2025)",
    )
    parser.add_argument(
        "--rules",
        type=Path,
        default=RULES,
        help="what stops figures and models (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    question = SEVEN_OUTCOMES if options.outcomes else CAUGHT_OR_NOT
    taught = partial(
        train,
        question,
        options.figures,
        rules=options.rules,
        force=options.force,
        against=options.against,
    )
    train_and_write(options, question.name, taught, options.rules)


if __name__ == "__main__":
    main()
