"""The months of figures that a model may not learn from, each with its reason."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from .figures import Figures

OPEN = "Under investigation"
Limits = Mapping[str, Any]


def _to_come(figures: Figures, limits: Limits) -> dict[str, str]:
    this_month = f"{date.today():%Y-%m}"  # noqa: DTZ011 - months are in local time
    why = f"it is yet to come, for this is {this_month}"
    return {cell.month: why for cell in figures if cell.month > this_month}


def _too_old(figures: Figures, limits: Limits) -> dict[str, str]:
    months = sorted({cell.month for cell in figures})
    if not months:
        return {}
    first = str(pd.Period(months[-1], freq="M") - (int(limits["months"]) - 1))
    why = f"more than {limits['months']} months before {months[-1]}, of another practice"
    return {month: why for month in months if month < first}


def _too_young(figures: Figures, limits: Limits) -> dict[str, str]:
    """Months with too many open cases; in the last year also every later month.

    The cases that are closed first are not a fair sample of a month.
    """
    known = _known(figures)
    few = {
        month: f"{share:.0%} of the outcomes of {month} are known, {limits['known']:.0%} are needed"
        for month, share in known.items()
        if share < limits["known"]
    }
    last_year = str(pd.Period(max(known), freq="M") - 11) if known else ""
    young = min((month for month in few if month >= last_year), default=None)
    if young is None:
        return few
    return few | {month: few[young] for month in known if month >= young}


def _known(figures: Figures) -> dict[str, float]:
    """By month, the share of crimes with an outcome whose case is not open."""
    total: Counter[str] = Counter()
    still: Counter[str] = Counter()
    for cell, count in figures.items():
        total[cell.month] += count if cell.outcome else 0
        still[cell.month] += count if cell.outcome == OPEN else 0
    return {month: 1 - still[month] / count for month, count in sorted(total.items()) if count}


# each checks the months that the checks before it have kept
LEAVE_OUT: Mapping[str, Callable[[Figures, Limits], dict[str, str]]] = {
    "future": _to_come,
    "memory": _too_old,
    "maturity": _too_young,
}


def spans(left_out: Mapping[str, str]) -> list[str]:
    """One sentence for each reason to leave out months."""
    reasons: dict[str, list[str]] = {}
    for month, why in left_out.items():
        reasons.setdefault(why, []).append(month)
    return [f"{span(sorted(months))} left out: {why}" for why, months in reasons.items()]


def span(months: list[str]) -> str:
    """Sorted months as one text, from the first to the last."""
    return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"
