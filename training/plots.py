"""The plots of the notebooks and the guide. matplotlib is needed here, and only here."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from .cells import LOW_COVERAGE, by_caught, usable_cells
from .evaluate import Array, reliability
from .figures import Figures
from .outcome_groups import CAUGHT, GROUPS

SMALL = 30  # crimes; shares of fewer are not shown
# Okabe and Ito's palette, for people who do not see all colours
COLOURS = ("#0072b2", "#56b4e9", "#009e73", "#999999", "#d55e00", "#e69f00", "#cc79a7")
BLUE, ORANGE = COLOURS[0], COLOURS[4]


def heat_map(caught: pd.DataFrame, known: pd.Series) -> Figure:
    """Share caught by force and crime; forces of low coverage are marked, small cells left blank.

    ``caught`` has the columns "not caught" and "caught"; ``known`` is the coverage by force.
    """
    totals = caught.groupby(level=["force", "crime"]).sum()
    sizes = totals.sum(axis=1)
    shares = (totals["caught"] / sizes).where(sizes >= SMALL).unstack("crime") * 100
    national = caught.groupby(level="crime").sum()
    order = (national["caught"] / national.sum(axis=1)).sort_values(ascending=False).index
    shares = shares[order]
    names = [f"▲ {force}" if known[force] < LOW_COVERAGE else force for force in shares.index]
    figure, axes = plt.subplots(figsize=(10, 12), layout="constrained")
    axes.set_facecolor("#dddddd")
    # most shares are below 20 %: a square root spreads them over the colours
    image = axes.imshow(shares, cmap="cividis", aspect="auto", norm=PowerNorm(0.5, 0, 100))
    for (row, column), share in np.ndenumerate(shares.to_numpy()):
        if not np.isnan(share):
            ink = "black" if share > 30 else "white"
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", size=8, color=ink)
    axes.set_xticks(range(shares.shape[1]), shares.columns, rotation=40, ha="left")
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(names)), names)
    axes.set_title("Caught, % of the year's crimes with a known outcome")
    axes.set_xlabel(
        f"▲ under {LOW_COVERAGE:.0%} of outcomes known: shares too high    "
        f"grey: fewer than {SMALL} crimes"
    )
    figure.colorbar(image, ax=axes, shrink=0.4, label="% caught", ticks=[0, 5, 10, 20, 40, 60, 100])
    return figure


def reliability_diagram(stated: Mapping[str, Array], hits: Array, misses: Array) -> Figure:
    """Actual over stated share of several models, and below the number of crimes with each.

    Each point is a twentieth of the crimes. Both scales are logarithmic, since most shares are low.
    """
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(7, 8), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    above.plot([0.01, 1], [0.01, 1], color="#999999", linewidth=1, label="perfect")
    edges = np.geomspace(0.01, 1, 41)
    for colour, (name, shares) in zip((BLUE, ORANGE), stated.items(), strict=False):
        table = reliability(shares, hits, misses)
        above.plot(table["stated"], table["actual"], "o-", color=colour, markersize=4, label=name)
        crimes = (hits + misses) / 1000
        below.hist(shares, edges, weights=crimes, histtype="step", color=colour, label=name)
    above.set(ylabel="actual share", title="Of the crimes given x %, x % should end that way")
    above.set(xscale="log", yscale="log", xlim=(0.01, 1), ylim=(0.01, 1))
    for axis in (above.xaxis, above.yaxis):
        axis.set_ticks([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])
        axis.set_ticks([], minor=True)
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    above.legend()
    below.set(xlabel="stated share", ylabel="thousand crimes", ylim=(0, None))
    return figure


def months(figures: Figures) -> Figure:
    """By month: how two court labels turn into one another, and the share caught."""
    counts = pd.Series(figures).rename_axis(["month", "force", "crime", "outcome"])
    by_month = counts.groupby(["month", "outcome"]).sum().unstack("outcome", fill_value=0)
    labelled = by_month.drop(columns=[""], errors="ignore")
    shares = labelled.div(labelled.sum(axis=1), axis=0) * 100
    courts = shares.reindex(columns=["Court result unavailable", "Awaiting court outcome"])
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(8, 6), sharex=True, height_ratios=(2, 1), layout="constrained"
    )
    for colour, name in zip((BLUE, ORANGE), courts.columns, strict=True):
        above.plot(courts.index, courts[name], "o-", color=colour, label=name)
    above.plot(courts.index, courts.sum(axis=1), "k--", label="both")
    above.set(ylabel="% of crimes with a label", ylim=(0, None), title="One thing under two names")
    above.legend()
    caught = by_caught(usable_cells(figures)).groupby(level="period").sum()
    below.plot(caught.index, caught["caught"] / caught.sum(axis=1) * 100, "o-", color=COLOURS[2])
    below.set(ylabel="% caught", title="With both as charged, the year is steady")
    below.set_ylim(0, below.get_ylim()[1] * 1.2)
    below.tick_params(axis="x", rotation=45)
    return figure


def groups_by_crime(cells: pd.DataFrame) -> Figure:
    """The outcomes of each type of crime: the seven groups as stacked bars, those caught first."""
    totals = cells.groupby(level="crime").sum()
    shares = totals.div(totals.sum(axis=1), axis=0) * 100
    caught = shares[[group for group in GROUPS if group in CAUGHT]].sum(axis=1).sort_values()
    shares = shares.loc[caught.index]
    figure, axes = plt.subplots(figsize=(10, 6), layout="constrained")
    left = np.zeros(len(shares))
    for colour, group in zip(COLOURS, GROUPS, strict=True):
        axes.barh(shares.index, shares[group], left=left, color=colour, label=str(group))
        left += shares[group].to_numpy()
    _mark_caught(axes, caught)
    axes.set(xlabel="% of crimes with a known outcome", xlim=(0, 100))
    axes.set_title("What became of each type of crime (black line: caught up to here)")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _mark_caught(axes: Axes, caught: pd.Series) -> None:
    for row, share in enumerate(caught):
        axes.plot([share, share], [row - 0.4, row + 0.4], color="black", linewidth=2)
        axes.text(share + 0.8, row, f"{share:.0f} %", va="center", size=8)


def side_by_side(losses: pd.Series, best: float) -> Figure:
    """Log loss of the candidates; none can be below ``best``."""
    figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
    ordered = losses.sort_values(ascending=False)
    axes.plot(ordered, ordered.index, "o", color=BLUE)
    for name, loss in ordered.items():
        axes.annotate(f"{loss:.4f}", (loss, str(name)), (6, -3), textcoords="offset points", size=8)
    axes.axvline(best, color=ORANGE, linestyle="--", label=f"perfect rates, {best:.4f}")
    axes.set(xlabel="log loss on the quarter held back; lower is better")
    axes.set_title("Most of what can be known is the type of crime")
    axes.margins(x=0.12, y=0.12)
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="upper right")
    return figure


def held_by_size(sizes: Array, held: Array) -> Figure:
    """The share of intervals that held, by the number of crimes in the month."""
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    order = np.argsort(sizes, kind="stable")
    tenths = np.array_split(order, 10)
    shares = [held[part].mean() * 100 for part in tenths]
    labels = [f"{sizes[part].min():,.0f} to {sizes[part].max():,.0f}" for part in tenths]
    axes.plot(labels, shares, "o", color=BLUE)
    axes.axhline(95, color="#999999", linewidth=1, label="promised")
    axes.set(ylabel="% within", ylim=(80, 100), xlabel="crimes of the month (tenths of all cells)")
    axes.set_title("Do the intervals hold in small cells and in large ones?")
    axes.tick_params(axis="x", rotation=30)
    axes.legend(loc="lower right")
    return figure
