"""Oddities within figures: months, forces and types of crime unlike the others."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from .figures import Figures
from .figures_months import span
from .outcome_groups import GROUPS, STATUS_UNAVAILABLE, group_of

FEWEST = 300  # crimes with a known outcome, below which outcomes differ by chance
ALL_FORCES = "all forces together"

Limits = Mapping[str, Any]


def groups(figures: Figures, by: list[str]) -> pd.DataFrame:
    """Crimes with a known outcome, by outcome group."""
    known = [(*cell[:3], group, count) for cell, count in figures.items()
             if (group := group_of(cell.outcome)) is not None]  # fmt: skip
    table = pd.DataFrame(known, columns=["month", "force", "crime", "group", "count"])
    found = table.pivot_table(
        index=by, columns="group", values="count", aggfunc="sum", fill_value=0
    )
    return found.reindex(columns=list(GROUPS), fill_value=0).sort_index()


def sizes(figures: Figures, by: list[str]) -> pd.DataFrame:
    """Crimes with any outcome at all, a column for each month; 0 where there is none."""
    counts = pd.Series(figures).rename_axis(["month", "force", "crime", "outcome"])
    labelled = counts[counts.index.get_level_values("outcome") != ""]
    table = labelled.groupby(level=[*by, "month"]).sum().unstack("month", fill_value=0)
    return table.sort_index(axis=1)


def stability_index(counts: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """How far outcomes differ, row by row: 0 where shares are the same.

    The population stability index, sum((p - q) ln(p / q)), with half a crime added to each outcome.
    """
    p, q = (each.add(0.5).div(each.add(0.5).sum(axis=1), axis=0) for each in (counts, others))
    return ((p - q) * np.log(p / q)).sum(axis=1)


def _missing_months(figures: Figures, limits: Limits) -> list[str]:
    months = {cell.month for cell in figures}
    every = {str(month) for month in pd.period_range(min(months), max(months), freq="M")}
    missing = sorted(every - months)
    return [f"no crime of {span(missing)} is in the figures"] if missing else []


def _mix(figures: Figures, limits: Limits) -> list[str]:
    return [
        f"outcomes of {month} are unlike those of {before}: population stability index "
        f"{value:.2f}, at most {limits['psi']} is allowed"
        for before, month, value in _steps(groups(figures, ["month"]), limits["psi"])
    ]


def _mix_of(feature: str) -> Callable[[Figures, Limits], list[str]]:
    """The same for each force, or each type of crime."""

    def look(figures: Figures, limits: Limits) -> list[str]:
        counts = groups(figures, [feature, "month"])
        counts = counts[counts.sum(axis=1) >= FEWEST]
        return [
            f"outcomes of {label} change from {before} to {month}: population stability index "
            f"{value:.2f}"
            for label in counts.index.unique(feature)
            for before, month, value in _steps(counts.loc[label], limits["psi"])
        ]

    return look


def _steps(counts: pd.DataFrame, limit: float) -> Iterator[tuple[str, str, float]]:
    """Months whose outcomes differ from those of the month before by a larger index."""
    index = stability_index(counts, counts.shift())[1:]
    for before, month, value in zip(counts.index, index.index, index, strict=False):
        if value > limit:
            yield before, month, float(value)


def _volume(figures: Figures, limits: Limits) -> list[str]:
    by_force = sizes(figures, ["force"])
    found = [
        f"{force} recorded no crime in {', '.join(by_force.columns[empty])}"
        for force, empty in zip(by_force.index, (by_force == 0).to_numpy(), strict=True)
        if empty.any()
    ]
    if len(by_force) > 1:
        by_force.loc[ALL_FORCES] = by_force.sum()
    there = by_force.where(by_force > 0)
    usual = there.median(axis=1)
    far = there.gt(usual * limits["factor"], axis=0) | there.lt(usual / limits["factor"], axis=0)
    return found + [
        f"{force} recorded {by_force.loc[force, month]:,.0f} crimes in {month}, "
        f"{usual[force]:,.0f} in its usual month"
        for force, month in far.stack().loc[lambda each: each].index
    ]


def _lacking(figures: Figures, limits: Limits) -> list[str]:
    """Types of crime missing in a month for a force that has other crimes in it."""
    by_crime = sizes(figures, ["force", "crime"])
    usual = by_crime.where(by_crime > 0).median(axis=1)
    others = by_crime.groupby(level="force").transform("sum")
    empty = by_crime.eq(0) & others.gt(0)
    empty = empty[usual >= limits["fewest"]]
    return [
        f"{force} recorded no {crime!r} in {', '.join(empty.columns[row])}, "
        f"{usual[force, crime]:,.0f} in its usual month"
        for (force, crime), row in zip(empty.index, empty.to_numpy(), strict=True)
        if row.any()
    ]


def _copies(figures: Figures, limits: Limits) -> list[str]:
    """Months in which forces have exactly the figures of an earlier month."""
    cells: dict[tuple[str, str], set[tuple[str, str, int]]] = {}
    for (month, force, crime, outcome), count in sorted(figures.items()):
        cells.setdefault((force, month), set()).add((crime, outcome, count))
    first: dict[tuple[str, frozenset[tuple[str, str, int]]], str] = {}
    copies: dict[tuple[str, str], list[str]] = {}
    for (force, month), found in sorted(cells.items()):
        if sum(count for *_, count in found) < limits["fewest"]:
            continue
        earlier = first.setdefault((force, frozenset(found)), month)
        if earlier != month:
            copies.setdefault((earlier, month), []).append(force)
    return [
        f"{month} has the very figures of {earlier} for {len(forces)} "
        f"force{'s, such as' if len(forces) > 1 else ','} {forces[0]}: one of the two is a copy"
        for (earlier, month), forces in sorted(copies.items())
    ]


def _year_before(figures: Figures, limits: Limits) -> list[str]:
    by_force = sizes(figures, ["force"])
    found = []
    for month in by_force.columns:
        before = f"{int(month[:4]) - 1}{month[4:]}"
        if before not in by_force.columns:
            continue
        ratio = by_force[month] / by_force[before].replace(0, np.nan)
        far = ratio[(ratio > limits["factor"]) | (ratio < 1 / limits["factor"])]
        found += [
            f"{force} recorded {by_force.loc[force, month]:,.0f} crimes in {month}, "
            f"{by_force.loc[force, before]:,.0f} a year before"
            for force in far.index
        ]
    return found


def _hidden(figures: Figures, limits: Limits) -> list[str]:
    """Forces that hide many outcomes, and months in which a force hides more than usual."""
    counts = pd.Series(figures).rename_axis(["month", "force", "crime", "outcome"])
    labelled = counts[counts.index.get_level_values("outcome") != ""]
    is_hidden = labelled.index.get_level_values("outcome") == STATUS_UNAVAILABLE
    total = labelled.groupby(level=["force", "month"]).sum()
    hidden = labelled[is_hidden].groupby(level=["force", "month"]).sum()
    hidden = hidden.reindex(total.index, fill_value=0)
    shares = hidden / total
    found = []
    for force in total.index.unique("force"):
        overall = hidden.loc[force].sum() / total.loc[force].sum()
        usual = shares.loc[force].median()
        if usual > limits["share"]:
            found.append(f"{force} does not say what became of {overall:.0%} of its crimes")
        found += [
            f"{force} does not say what became of {hidden[force, month]:,.0f} crimes of {month} "
            f"({share:.0%}; {usual:.0%} in its usual month)"
            for month, share in shares.loc[force].items()
            if share > usual + limits["share"]
        ]
    return found


LOOKS: Mapping[str, Callable[[Figures, Limits], list[str]]] = {
    "missing_months": _missing_months,
    "mix": _mix,
    "mix_of_crime": _mix_of("crime"),
    "mix_of_force": _mix_of("force"),
    "volume": _volume,
    "lacking": _lacking,
    "copies": _copies,
    "hidden": _hidden,
    "year_before": _year_before,
}
