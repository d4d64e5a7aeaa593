"""Sentences on what the crime models are not for, and on what their figures lack."""

import pandas as pd

from .cells import ANY_FORCE, LOW_COVERAGE, coverage
from .figures import Figures
from .figures_report import Report
from .lessons import uncaught_when_hidden

_ALWAYS = """
Recorded crime only: what is not reported or not recorded is not in the figures. Anti-social
behaviour is not either, since it never has an outcome.

Recording practice differs by force: when a case is closed, and how, is a matter of policy. The
answers make no league table of forces.

The latest months are young: some of their cases will still be charged.

It ages: retrain every year, and look at the period of the data. Found with other figures (learnt in
2018, tested in 2025; docs/training.md): knowing the force made every model worse.

Location is left out on purpose: it would turn the model into one about postcodes.

Not for policing, insurance, sentencing, or any decision about a person.
"""


def limits(report: Report, cells: pd.DataFrame, absent: list[str]) -> list[str]:
    """The limits of such models, and of these figures; ``absent`` are forces without outcomes."""
    figures = report.figures
    always = [" ".join(limit.split()) for limit in _ALWAYS.strip().split("\n\n")]
    found = [
        _without(absent),
        _incomplete(figures),
        _hidden(figures, cells),
        _uncaught(figures, cells),
        _left_out(report),
        _one_year(cells),
    ]
    return [*always[:2], *(limit for limit in found if limit), *always[2:]]


def _left_out(report: Report) -> str:
    if not report.left_out:
        return ""
    months = sorted(report.left_out)
    reasons = "; ".join(dict.fromkeys(report.left_out.values()))
    return f"Months left out, of {months[0]} to {months[-1]}: {len(months)} ({reasons})."


def _one_year(cells: pd.DataFrame) -> str:
    periods = sorted(cells.index.unique("period"))
    if len({period[:4] for period in periods}) > 1:
        return ""
    return (
        f"All figures are of {periods[0][:4]}: how months of the year differ is taken from that "
        "one year, and no test has touched it."
    )


def _uncaught(figures: Figures, cells: pd.DataFrame) -> str:
    forces = uncaught_when_hidden(cells, figures)
    if not forces:
        return ""
    return (
        f"Of {' and '.join(forces)} the outcomes that are not known are counted as not caught: as "
        "fewer were hidden from month to month, the share caught among all its crimes stayed."
    )


def _without(absent: list[str]) -> str:
    if not absent:
        return ""
    return (
        f"Without outcomes: {', '.join(absent)}. “{ANY_FORCE}”, the rate of the others, is used "
        "for them."
    )


def _incomplete(figures: Figures) -> str:
    """A sentence on forces with missing months; empty if there are none."""
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
        f"Less than {LOW_COVERAGE:.0%} of the outcomes are known of {' and '.join(low)}: what is "
        "shown of such a force is no fair sample of its cases; its label says so."
    )
