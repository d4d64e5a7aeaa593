"""The chart of the month: the version of each day, and what outcomes had proven by then."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from benchmarks.month.calendar import Month
from benchmarks.month.crimes import EQUAL, FIRST, SAME_FOR_ALL, SWAPPED, TITLES, Crimes
from predictor.evidence.sequences import MARGIN

# Okabe and Ito's palette, for people who do not see all colours
_COLOURS = {FIRST: "#999999", EQUAL: "#0072b2", SWAPPED: "#d55e00", SAME_FOR_ALL: "#e69f00"}
_COMPARED = ((EQUAL, FIRST), (SWAPPED, EQUAL), (SAME_FOR_ALL, EQUAL))  # new, old


def draw(month: Month, crimes: Crimes, file: Path) -> None:
    """Write the chart as a PNG."""
    mpl.use("Agg")  # no screen is needed
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(9, 7), sharex=True, height_ratios=(3, 2), layout="constrained"
    )
    _answers(above, month)
    _evidence(below, month, crimes)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _answers(axes: Axes, month: Month) -> None:
    days = range(1, month.plan.days + 1)
    bottom, by_version = [0] * month.plan.days, month.by_version()
    for version, colour in _COLOURS.items():
        counts = [day[version] for day in by_version]
        label = f"{version}, {TITLES[version]}: {month.share(version):.1%}"
        axes.bar(days, counts, bottom=bottom, color=colour, width=0.9, label=label)
        bottom = [low + count for low, count in zip(bottom, counts, strict=True)]
    axes.set(title="Which version answered", ylabel="answers", ylim=(0, month.plan.requests * 1.5))
    axes.legend(loc="upper left", ncols=2, title="version, and its share of the month's answers")


def _evidence(axes: Axes, month: Month, crimes: Crimes) -> None:
    axes.axhline(MARGIN, color="black", linewidth=0.8)
    for new, old in _COMPARED:
        found = list(month.evidence(new, old, crimes))
        days = [number + 1 for number, _ in found]
        means = [interval.mean for _, interval in found]
        below = [interval.mean - interval.low for _, interval in found]
        above = [interval.high - interval.mean for _, interval in found]
        label = f"{new} beside {old}"
        axes.errorbar(days, means, [below, above], fmt="o", markersize=4, capsize=3,
                      color=_COLOURS[new], label=label)  # fmt: skip
    axes.set_yscale("symlog", linthresh=0.01)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="day", ylabel="difference in log loss")
    axes.set_title("What outcomes had shown each evening: wholly above the line is proven worse")
    axes.legend(loc="upper left")
