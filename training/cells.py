"""The crimes a model learns from: one row per cell (period, force, crime), one column per outcome.

A cell's counts are all there is to learn from: of a crime, the models know only the force that
recorded it, its type and its month.
"""

from collections import OrderedDict
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .figures import Figures, FiguresError
from .outcome_groups import CAUGHT, GROUPS, STATUS_UNAVAILABLE, group_of

ANY_FORCE = "Any force"  # the national rate, for forces that publish no data
LOW_COVERAGE = 0.75  # share of known outcomes below which a force's rates are flagged
QUARTER = 3  # months

Lookup = OrderedDict[str, Any]  # force and crime: label → code; month: 0, since it is a number


def usable_cells(figures: Figures) -> pd.DataFrame:
    """Crimes with a known outcome, counted by outcome group; the index is sorted.

    Raises FiguresError when no outcome is known, UnknownOutcome for a label in no group.
    """
    known = [
        (cell.month, cell.force, cell.crime, group, count)
        for cell, count in figures.items()
        if (group := group_of(cell.outcome)) is not None
    ]
    if not known:
        raise FiguresError("the figures hold no crime with a known outcome")
    if any(force == ANY_FORCE for _, force, *_ in known):
        raise FiguresError(f"the figures have a force called {ANY_FORCE!r}, the name of the sum")
    rows = pd.DataFrame(known, columns=["period", "force", "crime", "group", "count"])
    table = rows.pivot_table(
        index=["period", "force", "crime"],
        columns="group",
        values="count",
        aggfunc="sum",
        fill_value=0,
    )
    return table.reindex(columns=list(GROUPS), fill_value=0)


def by_caught(cells: pd.DataFrame) -> pd.DataFrame:
    """The same cells with two columns: not caught, caught."""
    caught = cells[[group for group in GROUPS if group in CAUGHT]].sum(axis=1)
    return pd.DataFrame({"not caught": cells.sum(axis=1) - caught, "caught": caught})


def with_any_force(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells, preceded by those of all forces together under the name ANY_FORCE."""
    national = cells.groupby(level=["period", "crime"]).sum()
    national = pd.concat({ANY_FORCE: national}, names=["force"])
    return pd.concat([national.reorder_levels(cells.index.names), cells])


def split_by_time(cells: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cells before the last quarter of a year, and those in it.

    Raises FiguresError when there are no earlier cells.
    """
    month = pd.PeriodIndex(cells.index.get_level_values("period"), freq="M")
    late = np.asarray(month > month.max() - QUARTER)
    if late.all():
        raise FiguresError(
            f"no month is left to learn from once {month.min()} to {month.max()} are held back as "
            "a test; the figures must reach further back"
        )
    return cells[~late], cells[late]


def check_every_outcome(cells: pd.DataFrame) -> None:
    """Raise FiguresError when an outcome never occurs: a model cannot learn it."""
    totals = cells.sum()
    if (totals == 0).any():
        periods = cells.index.unique("period")
        raise FiguresError(
            f"of the crimes of {periods.min()} to {periods.max()} none has the outcome "
            f"{str(totals.idxmin())!r}; a model needs some of each"
        )


def lookup_of(cells: pd.DataFrame) -> Lookup:
    """The models' lookup: force, crime, month; ANY_FORCE comes first."""
    forces = sorted(cells.index.unique("force"), key=lambda force: (force != ANY_FORCE, force))
    crimes = sorted(cells.index.unique("crime"))
    return OrderedDict(
        force={force: code for code, force in enumerate(forces)},
        crime={crime: code for code, crime in enumerate(crimes)},
        month=0,
    )


def matrix(cells: pd.DataFrame, lookup: Lookup) -> npt.NDArray[np.float64]:
    """The estimator's input, one row per cell: code of the force, code of the crime, month.

    A label that the lookup lacks becomes NaN.
    """
    index = cells.index
    columns = [
        index.get_level_values("force").map(lookup["force"]),
        index.get_level_values("crime").map(lookup["crime"]),
        index.get_level_values("period").str[5:].astype(int),
    ]
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


def coverage(figures: Figures) -> pd.Series:
    """Known outcomes ÷ (known + "Status update unavailable"), by force."""
    known: dict[str, int] = {}
    hidden: dict[str, int] = {}
    for cell, count in figures.items():
        side = hidden if cell.outcome == STATUS_UNAVAILABLE else known
        if side is hidden or group_of(cell.outcome) is not None:
            side[cell.force] = side.get(cell.force, 0) + count
    table = pd.DataFrame({"known": known, "hidden": hidden}).fillna(0)
    return table["known"] / table.sum(axis=1)
