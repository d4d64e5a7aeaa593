"""The plots of the notebooks and the guide. matplotlib is needed here, and only here."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .cells import LOW_COVERAGE
from .evaluate import reliability
from .figures import Figures
from .outcomes import GROUPS

SMALL = 30  # crimes; a share of fewer is not shown
# Okabe and Ito's palette: told apart by people who do not see all colours
COLOURS = ("#0072b2", "#56b4e9", "#009e73", "#999999", "#d55e00", "#e69f00", "#cc79a7")


def heat_map(caught: pd.DataFrame, known: pd.Series) -> Figure:
    """Share caught by force and crime; forces of low coverage are marked, small cells left blank.

    ``caught`` has the columns "not caught" and "caught"; ``known`` is the coverage by force.
    """
    totals = caught.groupby(level=["force", "crime"]).sum()
    sizes = totals.sum(axis=1)
    shares = (totals["caught"] / sizes).where(sizes >= SMALL).unstack("crime")
    shares = shares[shares.mean().sort_values(ascending=False).index]
    names = [f"{force} ▲" if known[force] < LOW_COVERAGE else force for force in shares.index]
    figure, axes = plt.subplots(figsize=(9, 10), layout="constrained")
    image = axes.imshow(shares * 100, cmap="cividis", aspect="auto")
    axes.set_xticks(range(shares.shape[1]), shares.columns, rotation=60, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_title(f"Caught, % of recorded crimes (▲ under {LOW_COVERAGE:.0%} of outcomes known)")
    figure.colorbar(image, ax=axes, shrink=0.6, label="%")
    return figure


def reliability_diagram(
    stated: Mapping[str, np.ndarray], hits: np.ndarray, misses: np.ndarray
) -> Figure:
    """Actual over stated share of several models, and the volume of each bin below."""
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(7, 7), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    above.plot([0, 1], [0, 1], color="#999999", linewidth=1, label="perfect")
    for colour, (name, shares) in zip(COLOURS, stated.items(), strict=False):
        table = reliability(shares, hits, misses)
        above.plot(table["stated"], table["actual"], "o-", color=colour, markersize=4, label=name)
        below.vlines(table["stated"], 0, table["crimes"] / 1000, color=colour, linewidth=2)
    above.set(ylabel="actual share", title="Of the crimes given x %, x % should end that way")
    above.legend()
    below.set(xlabel="stated share", ylabel="thousand crimes", ylim=(0, None))
    return figure


def months(figures: Figures) -> Figure:
    """Share of some outcome labels by month: how two court labels turn into one another."""
    counts = pd.Series(figures).rename_axis(["month", "force", "crime", "outcome"])
    by_month = counts.groupby(["month", "outcome"]).sum().unstack("outcome", fill_value=0)
    usable = by_month.drop(columns=[""], errors="ignore")
    shares = usable.div(usable.sum(axis=1), axis=0) * 100
    courts = shares.reindex(columns=["Court result unavailable", "Awaiting court outcome"])
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for colour, name in zip(COLOURS, courts.columns, strict=False):
        axes.plot(courts.index, courts[name], "o-", color=colour, label=name)
    axes.plot(courts.index, courts.sum(axis=1), "k--", label="both")
    axes.set(ylabel="% of outcomes", ylim=(0, None), title="One thing under two names")
    axes.tick_params(axis="x", rotation=45)
    axes.legend()
    return figure


def groups_by_crime(cells: pd.DataFrame) -> Figure:
    """What becomes of each type of crime: the seven groups as stacked bars."""
    totals = cells.groupby(level="crime").sum()
    shares = totals.div(totals.sum(axis=1), axis=0) * 100
    shares = shares.loc[shares[GROUPS[0]].sort_values().index]
    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    left = np.zeros(len(shares))
    for colour, group in zip(COLOURS, GROUPS, strict=True):
        axes.barh(shares.index, shares[group], left=left, color=colour, label=str(group))
        left += shares[group].to_numpy()
    axes.set(xlabel="% of crimes with a known outcome", xlim=(0, 100))
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def side_by_side(losses: pd.Series, best: float) -> Figure:
    """Log loss of the candidates; none can fall below ``best``."""
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    ordered = losses.sort_values(ascending=False)
    axes.plot(ordered, ordered.index, "o", color=COLOURS[0])
    axes.axvline(best, color=COLOURS[4], linestyle="--", label="perfect rates")
    axes.set(xlabel="log loss on the quarter held back")
    axes.grid(axis="x", alpha=0.3)
    axes.legend()
    return figure
