"""How sure an answer is: the share among a month's crimes, in 95 of 100 months.

What a force's share of a month is likely to be, given the model's share p, has a variance of
p(1 - p) times the sum of

- 1/usual: chance, in a month with the usual number of crimes; - 1/(strength + n): what n crimes
leave unknown about the force. ``strength`` is that of an empirical Bayes prior: the number of
crimes that knowledge of the other forces is worth; - months: how months differ beyond chance, for
each type of crime; types with few cells are drawn towards all types together (drugs and
shoplifting change faster than the rest). Over all cells of 30 crimes and more the three together
are 1.6 times the plain binomial spread, little in small cells and twice in the largest; - p / (1 -
p) times the square of twice the change of the share to expect where a force hides ever more of its
outcomes (``rising`` in training/lessons.py).

The interval is that of the beta distribution with this mean and variance, rounded outwards to
whole crimes of a usual month. ``strength`` and ``months`` are chosen so that the intervals hold
96.5 % of the shares in quarters the model has not seen: the quarter after these is always a little
further off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betaincinv

from .candidates import Learnt
from .cells import ANY_FORCE
from .evaluate import Array
from .figures import FiguresError

LEVEL = 0.95
HELD = 0.965  # share of cells to hold in the quarters from which the spread is estimated
STRAYS = 2  # standard deviation, as a multiple of the change that the trend predicts
FEW = 30  # cells; a type of crime with so many is drawn half-way to all types
SMALLEST_CELL = 30  # crimes; the shares of smaller cells are too coarse to estimate a spread


@dataclass(frozen=True)
class Spread:
    """The spread of one outcome's shares: see the module."""

    months: float
    forces: float  # the variance of an unknown force, months included; 1/strength
    by_crime: Mapping[str, float] = field(default_factory=dict)  # months, by type of crime

    def of_months(self, cells: pd.DataFrame) -> Array:
        """The variance between months of the type of crime of each of ``cells``."""
        crimes = cells.index.get_level_values("crime")
        return np.array([self.by_crime.get(crime, self.months) for crime in crimes])


@dataclass(frozen=True)
class _Similar:
    """The crimes behind the model's answer to each of many cells."""

    n: Array  # crimes of this type by this force, in all months learnt from
    usual: Array  # in one month
    rising: Array  # see Learnt

    def of_hidden(self, shares: Array, outcome: int) -> Array:
        """The variance of an outcome's share where ever more is hidden; of two, the second's."""
        share = np.clip(shares[:, outcome if shares.shape[1] > 2 else 1], 0, 0.99)
        return np.asarray((STRAYS * self.rising) ** 2 * share / (1 - share))


def spreads(tested: Sequence[tuple[Learnt, pd.DataFrame]]) -> list[Spread]:
    """The spread of each outcome, from quarters that the models had not learnt from."""
    parts = [(learnt, *_large_cells(after)) for learnt, after in tested]
    own = _joined([_similar(learnt, large) for learnt, large, _ in parts])
    unknown = _joined([_similar(learnt, large, national=True) for learnt, large, _ in parts])
    shares = np.vstack([learnt.shares(large) for learnt, large, _ in parts])
    national = np.vstack([learnt.national_shares(large) for learnt, large, _ in parts])
    actual = np.vstack([actual for _, _, actual in parts])
    crimes = np.concatenate([large.index.get_level_values("crime") for _, large, _ in parts])
    # of two outcomes, each is the complement of the other
    outcomes = range(actual.shape[1]) if actual.shape[1] > 2 else [1, 1]
    found = []
    for k in outcomes:
        forces = _least(national[:, k], actual[:, k], unknown.usual, 1 / unknown.usual)
        learnt_so_far = _known(own, forces) + own.of_hidden(shares, k)
        cells = np.column_stack([shares[:, k], actual[:, k], own.usual, learnt_so_far])
        months = _least(*cells.T)
        by_crime = {str(crime): _drawn(cells[crimes == crime], months)
                    for crime in np.unique(crimes)}  # fmt: skip
        found.append(Spread(months, forces, by_crime))
    return found


def _drawn(cells: Array, months: float) -> float:
    """The variance between months of some ``cells``; of few, near ``months``, that of all."""
    least, weight = _least(*cells.T), len(cells) / (len(cells) + FEW)
    return float(max(least, 1e-5) ** weight * months ** (1 - weight))


def ends(learnt: Learnt, cells: pd.DataFrame, found: list[Spread]) -> tuple[Array, Array]:
    """(low, high) of the intervals of ``cells``, each of shape (cells, outcomes)."""
    own, shares = _similar(learnt, cells), learnt.shares(cells)
    both = [
        interval(shares[:, k], own.usual, _variance(own, spread, cells) + own.of_hidden(shares, k))
        for k, spread in enumerate(found)
    ]
    return np.column_stack([low for low, _ in both]), np.column_stack([high for _, high in both])


def coverage(learnt: Learnt, after: pd.DataFrame, found: list[Spread]) -> list[float]:
    """The share of cells ``after`` whose share lies within the interval, for each outcome."""
    return [float(held.mean()) for _, held in within(learnt, after, found)]


def within(
    learnt: Learnt, after: pd.DataFrame, found: list[Spread]
) -> list[tuple[Array, npt.NDArray[np.bool_]]]:
    """For each outcome: the crimes of every cell ``after``, and whether its interval held."""
    large, actual = _large_cells(after)
    low, high = ends(learnt, large, found)
    held = (low - 1e-9 <= actual) & (actual <= high + 1e-9)
    sizes = large.sum(axis=1).to_numpy(dtype=np.float64)
    return [(sizes, held[:, k]) for k in range(len(found))]


def support_table(learnt: Learnt, found: list[Spread], flags: list[str]) -> dict[str, Any]:
    """The content of ``support.json`` for every force, crime and month of the lookup."""
    forces, crimes = list(learnt.lookup["force"]), list(learnt.lookup["crime"])
    months = list(range(1, 13))
    index = pd.MultiIndex.from_product(
        [forces, crimes, [f"0000-{month:02}" for month in months]],
        names=["force", "crime", "period"],
    )
    grid = pd.DataFrame(index=index.reorder_levels(["period", "force", "crime"]))
    similar, shares = _similar(learnt, grid), learnt.shares(grid)
    known = grid.index.get_level_values("force") != ANY_FORCE
    periods = learnt.cells.index.unique("period")
    intervals = {}
    for k, (flag, spread) in enumerate(zip(flags, found, strict=True)):
        variance = np.where(
            known, _variance(similar, spread, grid), 1 / similar.usual + spread.forces
        ) + similar.of_hidden(shares, k)
        low, high = interval(shares[:, k], similar.usual, variance)
        intervals[flag] = {"low": low.round(4).tolist(), "high": high.round(4).tolist()}
    return {
        "n_note": f"crimes of this type recorded by this force, {periods.min()} to {periods.max()}",
        "interval_note": "the share among the crimes of one month, in 95 of 100 months",
        "features": {"force": forces, "crime": crimes, "month": months},
        "n": similar.n.astype(int).tolist(),
        "interval": intervals,
    }


def interval(share: Array, usual: Array, variance: Array) -> tuple[Array, Array]:
    """(low, high) with 95 % of a beta distribution around ``share`` and ``share`` within."""
    mean = np.clip(share, 1e-6, 1 - 1e-6)
    strength = 1 / np.minimum(variance, 0.999) - 1
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    low, high = (betaincinv(mean * strength, (1 - mean) * strength, tail) for tail in tails)
    low, high = np.floor(low * usual) / usual, np.ceil(high * usual) / usual
    return np.minimum(low, share), np.clip(high, share, 1)


def _variance(similar: _Similar, spread: Spread, cells: pd.DataFrame) -> Array:
    return _known(similar, spread.forces) + spread.of_months(cells)


def _known(similar: _Similar, forces: float) -> Array:
    return np.asarray(1 / similar.usual + 1 / (1 / forces + similar.n))


def _joined(parts: list[_Similar]) -> _Similar:
    joined = {each.name: np.concatenate([getattr(part, each.name) for part in parts])
              for each in fields(_Similar)}  # fmt: skip
    return _Similar(**joined)


def _least(share: Array, actual: Array, usual: Array, variance: Array) -> float:
    """The least that must be added to ``variance`` for HELD of ``actual`` to be held."""
    low, high = 1e-6, 1.0
    for _ in range(25):
        middle = np.sqrt(low * high)
        enough = _holds(share, actual, usual, variance + middle).mean() >= HELD
        low, high = (low, middle) if enough else (middle, high)
    return float(high)


def _holds(share: Array, actual: Array, usual: Array, variance: Array) -> npt.NDArray[np.bool_]:
    low, high = interval(share, usual, variance)
    return np.asarray((low - 1e-9 <= actual) & (actual <= high + 1e-9))


def _large_cells(cells: pd.DataFrame) -> tuple[pd.DataFrame, Array]:
    """Those of 30 crimes and more, and their actual shares; raises FiguresError without any."""
    large = cells[cells.sum(axis=1) >= SMALLEST_CELL]
    if large.empty:
        periods = cells.index.unique("period")
        raise FiguresError(
            f"from {periods.min()} to {periods.max()} no force recorded {SMALLEST_CELL} crimes of "
            "one type in a month: too few to say how sure an answer is"
        )
    counts = large.to_numpy(dtype=np.float64)
    return large, counts / counts.sum(axis=1, keepdims=True)


def _similar(learnt: Learnt, cells: pd.DataFrame, *, national: bool = False) -> _Similar:
    """The crimes of the force and type of each of ``cells`` in training.

    For ANY_FORCE, and for all when ``national``: all forces' crimes, and one force's usual month.
    """
    sizes = learnt.cells.sum(axis=1)
    own = sizes.groupby(level=["force", "crime"]).agg(["sum", "mean"])
    every = pd.concat(
        {ANY_FORCE: sizes.groupby(level="crime").agg(["sum", "mean"])}, names=["force"]
    )
    keys = cells.index.droplevel("period")
    if national:
        keys = pd.MultiIndex.from_product([[ANY_FORCE], keys.get_level_values("crime")])
    found = pd.concat([every, own]).reindex(keys)
    return _Similar(
        n=found["sum"].fillna(0).to_numpy(dtype=np.float64),
        usual=found["mean"].fillna(1).to_numpy(dtype=np.float64),
        rising=np.array([learnt.rising.get(force, 0.0) for force in keys.get_level_values(0)]),
    )
