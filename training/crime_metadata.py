"""The crime models' data and features in ``metadata.json``."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from .cells import ANY_FORCE, LOW_COVERAGE, Lookup, coverage
from .figures import Figures
from .figures_report import Report

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

# Forces people look for that have no outcomes (or hardly any crimes) in the police files.
_ABSENT = (
    "Metropolitan Police Service",
    "Greater Manchester Police",
    "West Midlands Police",
    "West Yorkshire Police",
    "British Transport Police",
    "Police Service of Northern Ireland",
)


def data(report: Report, cells: pd.DataFrame) -> dict[str, Any]:
    """The source of the figures, the number of crimes learnt from, and oddities in the figures."""
    periods = cells.index.unique("period")
    usable = int(cells.to_numpy().sum())
    return {
        "source": "data.police.uk, street-level crime and outcomes",
        "source_url": "https://data.police.uk/data/",
        "licence": "Open Government Licence v3.0",
        "period": f"{periods.min()} to {periods.max()}",
        "figures_sha256": report.sha256,
        "report_sha256": report.digest,
        "warnings_about_the_figures": len(report.findings),
        **({"stopped_by": "; ".join(report.stops)} if report.stops else {}),
        "rows": usable,
        "rows_without_known_outcome": sum(report.figures.values()) - usable,
        **({"months_left_out": ", ".join(report.left_out)} if report.left_out else {}),
    }


def untested(cells: pd.DataFrame, after: pd.DataFrame) -> dict[str, list[int]]:
    """Months of the year whose effect no test covers.

    A test covers a month if it was held out after the same month of an earlier year was learnt.
    """
    months = {str(period) for period in cells.index.unique("period")}
    held_back = {str(period) for period in after.index.unique("period")}
    tested = {
        period[5:]
        for period in held_back
        if any(other[5:] == period[5:] and other < min(held_back) for other in months)
    }
    every = {period[5:] for period in months}
    return {"month": sorted(int(month) for month in every - tested)}


def baseline(cells: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The share of every label in the training data, by feature: the baseline of drift."""
    sizes = cells.sum(axis=1)
    month = sizes.index.get_level_values("period").str[5:].astype(int)
    by_feature = {
        "force": sizes.groupby(level="force").sum(),
        "crime": sizes.groupby(level="crime").sum(),
        "month": sizes.groupby(month).sum(),
    }
    return {
        name: {str(label): round(size / sizes.sum(), 6) for label, size in by_label.items()}
        for name, by_label in by_feature.items()
    }


def features(lookup: Lookup, figures: Figures) -> dict[str, Any]:
    """Titles, help, bounds and shown names of the three features."""
    known = coverage(figures)
    incomplete = {
        force: f"{force} ({known[force]:.0%} of outcomes known)"
        for force in lookup["force"]
        if known.get(force, 1) < LOW_COVERAGE
    }
    return {
        "force": {
            "title": "Police force",
            "help": (
                f"The force that recorded the crime. {ANY_FORCE} is the national rate, for forces "
                "that publish no outcomes."
            ),
            **_default("Kent Police", lookup["force"]),
            "fallback": ANY_FORCE,
            "unlisted": absent(lookup),
            "labels": incomplete,
        },
        "crime": {
            "title": "Crime",
            "help": "The type the police recorded it as.",
            **_default("Burglary", lookup["crime"]),
        },
        "month": {
            "title": "Month",
            "help": "The month it was recorded for.",
            "minimum": 1,
            "maximum": 12,
            "integer": True,
            "default": 10,
            "labels": {str(number): name for number, name in enumerate(MONTHS, 1)},
        },
    }


def absent(lookup: Lookup) -> list[str]:
    """The forces people look for that the model does not know."""
    return [force for force in _ABSENT if force not in lookup["force"]]


def _default(label: str, labels: Mapping[str, Any]) -> dict[str, str]:
    """The value the page shows first, if the figures have it."""
    return {"default": label} if label in labels else {}
