"""A model's quality in sentences and diagrams, as a part of its card."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from batclient.printout import in_figures
from predictor.artifacts.contract import Contract
from predictor.artifacts.version import ModelVersion
from predictor.log.accuracy import Accuracy

LIVE = ("accuracy", "log_loss", "brier", "calibration_error")  # measurable from outcomes
_MOST_DRAWN = 8  # flags
_WORST = 10  # slices

# Metrics' names in words; others are shown unchanged.
_NAMES = {
    "brier": gettext_lazy("Brier score"),
    "auc": gettext_lazy("area under the ROC curve (AUC)"),
    "r2": gettext_lazy("share explained (R²)"),
    "rmse": gettext_lazy("root mean squared error"),
}
# Each figure explained to a lay reader; {} is the figure in words.
_SENTENCES = {
    "accuracy": gettext_lazy("Of 100 cases, the output with the highest score came true in {}."),
    "log_loss": gettext_lazy(
        "How much the outcomes surprised it, on average. 0 is not at all; lower is better."
    ),
    "brier": gettext_lazy(
        "The mean squared distance between what it stated and what happened. 0 is perfect."
    ),
    "auc": gettext_lazy(
        "Of 100 pairs, one case where it happened and one where it did not, it gave the first the "
        "higher score in {}. Chance is 50."
    ),
    "calibration_error": gettext_lazy(
        "What it states and what happens differ by {} points of a hundred, on average."
    ),
    "log_loss_of_constant": gettext_lazy("What the same answer to every case would reach."),
    "log_loss_of_crime_rates": gettext_lazy("What the mean rate of each crime would reach."),
    "log_loss_of_perfect_rates": gettext_lazy(
        "The least that any model with these fields can reach."
    ),
    "interval_coverage_lowest": gettext_lazy(
        "At its worst, {} of 100 stated ranges held the share that came true; 95 should."
    ),
    "interval_coverage_highest": gettext_lazy(
        "At its best, {} of 100 stated ranges held the share that came true; 95 should."
    ),
    "r2": gettext_lazy("The part of the differences between cases it explains. 1 is all of them."),
    "mean_absolute_error": gettext_lazy("How far it is off, on average, in the output's own unit."),
    "rmse": gettext_lazy(
        "How far it is off, in the output's own unit; large errors count for more."
    ),
}


@dataclass(frozen=True)
class Figure:
    """One figure: its value at training, its meaning, and its value from outcomes since."""

    name: str
    text: str
    meaning: str
    live: str = ""
    is_words: bool = False


@dataclass(frozen=True)
class ReliabilityPoint:
    """A group of cases on a 100 × 100 drawing."""

    x: float
    y: float
    radius: float
    title: str


@dataclass(frozen=True)
class Diagram:
    """The reliability diagram of a flag: stated probability across, actual frequency up."""

    title: str
    points: list[ReliabilityPoint]


@dataclass(frozen=True)
class SliceLine:
    """The cases of one label."""

    title: str
    cases: str
    flag: str
    stated: str
    actual: str
    apart: float  # in per cent, for a bar


def figures(model: ModelVersion, live: Accuracy | None = None) -> list[Figure]:
    """The quality figures of the metadata, and with ``live`` those from outcomes."""
    stated = model.metadata.get("metrics")
    promised: Mapping[str, Any] = stated if isinstance(stated, Mapping) else {}
    found = {name: _figure(name, value, live) for name, value in promised.items()}
    for name in LIVE if live else ():
        if name not in found and getattr(live, name) is not None:
            found[name] = _figure(name, "\N{EN DASH}", live)
    return [figure for figure in found.values() if figure is not None]


def _figure(name: str, value: Any, live: Accuracy | None) -> Figure | None:
    """None for a nested or missing value, which does not fit a table."""
    if not isinstance(value, str | int | float) or value == "":
        return None
    measured = getattr(live, name) if live and name in LIVE else None
    known = value if isinstance(value, int | float) else measured
    return Figure(
        str(_NAMES.get(name, name.replace("_", " "))),
        figure_text(value),
        _meaning(name, known),
        "" if measured is None else f"{measured:.4g}",
        isinstance(value, str) and measured is None,
    )


def _meaning(name: str, value: float | None) -> str:
    sentence = str(_SENTENCES.get(name, ""))
    if "{}" not in sentence:
        return sentence
    if value is None or not 0 <= value <= 1:
        return ""
    form = ".1f" if name == "calibration_error" else ".0f"
    return sentence.format(in_figures(value * 100, form))


def figure_text(value: Any) -> str:
    """A figure or a text as shown in a table."""
    return f"{value:,}" if isinstance(value, int) and value > 9999 else str(value)


def diagrams(model: ModelVersion) -> list[Diagram]:
    """The reliability of each flag, as measured at training."""
    described = model.metadata.get("reliability")
    by_flag = described if isinstance(described, Mapping) else {}
    titles = {flag.name: flag.title for flag in model.contract.flags}
    found = [
        Diagram(titles[flag], points)
        for flag, groups in by_flag.items()
        if flag in titles and (points := _points(groups))
    ]
    return found[:_MOST_DRAWN]


def _points(groups: Any) -> list[ReliabilityPoint]:
    known = [each for each in (groups if isinstance(groups, list) else []) if _is_group(each)]
    most = max((each["n"] for each in known), default=0)
    return [
        ReliabilityPoint(
            round(100 * each["stated"], 2),
            round(100 - 100 * each["actual"], 2),
            round(0.8 + 1.4 * math.sqrt(each["n"] / most), 2),
            _("stated %(stated)s, happened %(actual)s, of %(n)s")
            % {
                "stated": _percent(each["stated"]),
                "actual": _percent(each["actual"]),
                "n": in_figures(each["n"], ",.0f"),
            },
        )
        for each in known
    ]


def _is_group(each: Any) -> bool:
    if not isinstance(each, Mapping):
        return False
    *shares, n = (each.get(name) for name in ("stated", "actual", "n"))
    return all(_is_share(share) for share in shares) and isinstance(n, int | float) and n > 0


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def weak_slices(model: ModelVersion) -> list[SliceLine]:
    """The labels with the largest errors, the worst first."""
    described = model.metadata.get("slices")
    known = described if isinstance(described, list) else []
    return [_slice(model.contract, each) for each in known[:_WORST] if isinstance(each, Mapping)]


def _slice(contract: Contract, each: Mapping[str, Any]) -> SliceLine:
    features = {feature.name: feature.title for feature in contract.features}
    flags = {flag.name: flag.title for flag in contract.flags}
    feature, flag = str(each.get("feature")), str(each.get("flag"))
    stated, actual, n = (each.get(name) for name in ("stated", "actual", "n"))
    known = _is_share(stated) and _is_share(actual)
    return SliceLine(
        f"{features.get(feature, feature)}: {each.get('label')}",
        in_figures(n, ",.0f") if isinstance(n, int | float) else str(n),
        flags.get(flag, flag),
        _percent(stated),
        _percent(actual),
        round(100 * abs(stated - actual), 1) if known else 0.0,  # type: ignore[operator]
    )


def _percent(share: Any) -> str:
    return f"{in_figures(share * 100, '.1f')} %" if _is_share(share) else str(share)
