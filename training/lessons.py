"""The counts that models learn from: older months count less, and hidden outcomes are estimated.

"Status update unavailable" is not an outcome, and may hide any. But where a force publishes more
of its outcomes from month to month, its own figures show what was hidden: for Avon and Somerset
the share caught among *all* crimes stays at 8 %, while among crimes with known outcomes it falls
from 16 to 9 % as the hidden ones go from half to a tenth. So these suspects were not caught, and
the model learns them as such.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, theilslopes

from .cells import LOW_COVERAGE, QUARTER
from .evaluate import Array
from .figures import Figures
from .outcome_groups import CAUGHT, GROUPS, STATUS_UNAVAILABLE

MOVED = 0.10  # change of the known share between months, below which no conclusion is possible
STEADIER = 0.5  # shares of all crimes must vary less than this part of the variation of known ones
CERTAIN = 0.01  # level of the test for a force that hides more from month to month
NOT_CAUGHT = [group for group in GROUPS if group not in CAUGHT]


@dataclass(frozen=True)
class Past:
    """The past to learn from: the last ``months``; a month ``half_life`` older counts half."""

    months: float = math.inf
    half_life: float = math.inf

    def as_texts(self) -> dict[str, str]:
        """Both numbers as texts for metadata.json, where no number is infinite."""
        cut_off = {} if math.isinf(self.months) else {"last_months": str(self.months)}
        return {"half_life_months": str(self.half_life), **cut_off}


def lessons(cells: pd.DataFrame, figures: Figures, past: Past) -> pd.DataFrame:
    """The seven groups' counts to learn from."""
    age = _age(cells)
    recent = cells[age < past.months]
    fading = 0.5 ** (age[age < past.months] / past.half_life)
    return revealed(recent, figures).mul(fading, axis=0)


def _age(cells: pd.DataFrame) -> Array:
    """Months between each of the cells and the last."""
    months = pd.PeriodIndex(cells.index.get_level_values("period"), freq="M")
    numbers = np.asarray(months.year * 12 + months.month, dtype=np.float64)
    return np.asarray(numbers.max() - numbers)


def revealed(cells: pd.DataFrame, figures: Figures) -> pd.DataFrame:
    """The cells; hidden outcomes count as not caught for forces whose figures show that."""
    hidden = _hidden(cells, figures)
    every = cells.astype(float)
    for force in uncaught_when_hidden(cells, figures):
        own = cells.xs(force, level="force", drop_level=False)[NOT_CAUGHT]
        shares = _shares_of_hidden(own, hidden[own.index], cells.drop(force, level="force"))
        shares = shares.reindex(own.index.get_level_values("crime")).to_numpy()
        every.loc[own.index, NOT_CAUGHT] += shares * hidden[own.index].to_numpy()[:, None]
    return every


def _shares_of_hidden(own: pd.DataFrame, hidden: pd.Series, others: pd.DataFrame) -> pd.DataFrame:
    """By crime, the shares of the uncaught groups among the hidden outcomes.

    Chosen so that known and hidden outcomes together are nearest to the mix of the other forces.
    """
    known = own.groupby(level="crime").sum()
    every = known.sum(axis=1) + hidden.groupby(level="crime").sum()
    mix = others[NOT_CAUGHT].groupby(level="crime").sum().reindex(known.index)
    mix = mix.div(mix.sum(axis=1), axis=0)
    lacking = (mix.mul(every, axis=0) - known).clip(lower=0)
    return lacking.div(lacking.sum(axis=1), axis=0).fillna(1 / len(NOT_CAUGHT))


def uncaught_when_hidden(cells: pd.DataFrame, figures: Figures) -> list[str]:
    """Forces that hide many outcomes; as they hide fewer, these prove to be "not caught"."""
    hidden = _hidden(cells, figures).groupby(level=["force", "period"]).sum()
    known = cells.sum(axis=1).groupby(level=["force", "period"]).sum()
    caught = cells[[g for g in GROUPS if g in CAUGHT]].sum(axis=1)
    caught = caught.groupby(level=["force", "period"]).sum()
    found = []
    for force in known.index.unique("force"):
        some, rest = known[force], hidden[force]
        every = some + rest
        share = some / every
        if some.sum() / every.sum() >= LOW_COVERAGE or share.max() - share.min() < MOVED:
            continue
        if _variation(caught[force] / every, every) < STEADIER * _variation(
            caught[force] / some, every
        ):
            found.append(str(force))
    return found


_FEWEST_MONTHS = 6  # five rising months in a row have a chance of 1.7 %


def rising(cells: pd.DataFrame, figures: Figures) -> dict[str, float]:
    """By force, the further relative change of a share, because ever more outcomes are hidden.

    Only forces where the trend is certain (Mann 1945, "Nonparametric tests against trend"), their
    line (Sen 1968, "Estimates of the regression coefficient based on Kendall's tau") drawn on from
    the middle of the months learnt from to the end of the next quarter. If no hidden outcome is of
    some kind, its share among the known ones grows as the logarithm here does.
    """
    hidden = _hidden(cells, figures).groupby(level=["force", "period"]).sum()
    known = cells.sum(axis=1).groupby(level=["force", "period"]).sum()
    lost = -np.log(known / (known + hidden))
    found = {}
    for force in lost.index.unique("force"):
        months = pd.PeriodIndex(lost[force].index, freq="M")
        if len(months) < _FEWEST_MONTHS:
            continue
        numbers = np.asarray(months.year * 12 + months.month)
        tau, chance = kendalltau(numbers, lost[force])
        if tau > 0 and chance < CERTAIN:
            slope = theilslopes(lost[force], numbers).slope
            found[str(force)] = float(slope * (numbers.max() + QUARTER - numbers.mean()))
    return found


def _variation(shares: pd.Series, weights: pd.Series) -> float:
    """The standard deviation of shares, relative to their mean."""
    mean = np.average(shares, weights=weights)
    return float(np.sqrt(np.average((shares - mean) ** 2, weights=weights)) / max(mean, 1e-9))


def _hidden(cells: pd.DataFrame, figures: Figures) -> pd.Series:
    """Crimes of each cell whose outcome is hidden."""
    counts: dict[tuple[str, str, str], int] = {}
    for cell, count in figures.items():
        if cell.outcome == STATUS_UNAVAILABLE:
            key = (cell.month, cell.force, cell.crime)
            counts[key] = counts.get(key, 0) + count
    return pd.Series([counts.get(key, 0) for key in cells.index], index=cells.index)
