"""What the crime models are not for, and what is missing from their figures, in sentences."""

import pandas as pd

from .cells import ANY_FORCE, LOW_COVERAGE, coverage
from .figures import Figures

_ALWAYS = """
Recorded crime only: what is not reported or not recorded is not in the figures. Anti-social
behaviour is not either, since it never has an outcome.

Recording practice differs by force: when a case is closed, and how, is a matter of policy. The
answers make no league table of forces.

The latest months are young: some of their cases will still be charged.

It ages: learnt in 2018 and tested in 2025, knowing the force made every model worse. Retrain every
year, and look at the period of the data.

Location is left out on purpose. It would lower the log loss by 2.5 %, and turn the model into one
about postcodes.

Not for policing, insurance, sentencing, or any decision about a person.
"""


def limits(figures: Figures, cells: pd.DataFrame, absent: list[str]) -> list[str]:
    """Those of any such model, and of these figures; ``absent`` are forces without outcomes."""
    always = [" ".join(limit.split()) for limit in _ALWAYS.strip().split("\n\n")]
    found = [_without(absent), _incomplete(figures), _hidden(figures, cells)]
    return [*always[:2], *(limit for limit in found if limit), *always[2:]]


def _without(absent: list[str]) -> str:
    if not absent:
        return ""
    return (
        f"Without outcomes: {', '.join(absent)}. “{ANY_FORCE}”, the rate of the others, stands in."
    )


def _incomplete(figures: Figures) -> str:
    """Forces of which months are missing; one month alone says nothing of a year."""
    every = {cell.month for cell in figures}
    by_force: dict[str, set[str]] = {}
    for cell in figures:
        by_force.setdefault(cell.force, set()).add(cell.month)
    lacking = {force: len(every) - len(has) for force, has in sorted(by_force.items())}
    words = [f"{force} {count}" for force, count in lacking.items() if count]
    return f"Months missing, of {len(every)}: {', '.join(words)}." if words else ""


def _hidden(figures: Figures, cells: pd.DataFrame) -> str:
    known = coverage(figures).reindex(cells.index.unique("force"))
    low = sorted(known[known < LOW_COVERAGE].index)
    if not low:
        return ""
    return (
        f"Less than {LOW_COVERAGE:.0%} of the outcomes are known of {' and '.join(low)}. Those not "
        "known are mostly of cases in which nobody was caught, so the shares of such a force are "
        "too high; its label says so."
    )
