"""The models at a glance: a line for each, with figures that show whether it needs attention."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from predictor.admin.dashboard_query import DashboardQuery
from predictor.admin.listing import cases_link
from predictor.admin.track_record import Tally
from predictor.artifacts.version import ModelVersion
from predictor.log import traffic
from predictor.log.drift import Drift
from predictor.log.traffic import Traffic
from predictor.serving.current import serving

COLUMNS = ("answers", "p99, ms", "right", "wrong values", "drifted")


@dataclass(frozen=True)
class Figure:
    """One number and its link."""

    text: str
    link: str
    is_over: bool = False  # needs attention


Figures = list[tuple[str, Figure | None]]  # by column; None where it is unknown


@dataclass(frozen=True)
class ModelLine:
    """One model."""

    link: str  # to the model's figures
    title: str
    version: str
    card: str  # the link to its card; empty if no version answers
    warnings: str
    figures: Figures


def lines(asked: DashboardQuery, figures: Mapping[str, Figures]) -> list[ModelLine]:
    """The models with their figures, and the version that answers now."""
    at_hand = serving().at_hand()
    return [_line(asked, name, at_hand.get(name), known) for name, known in figures.items()]


def _line(
    asked: DashboardQuery, name: str, version: ModelVersion | None, figures: Figures
) -> ModelLine:
    link = asked.link(model=name, drift="")
    if version is None:
        return ModelLine(link, name, "no version can answer now", "", "", figures)
    card, warnings = reverse("model-card", args=[name]), "; ".join(version.warnings)
    return ModelLine(link, version.title, f"{name} {version.version}", card, warnings, figures)


@dataclass(frozen=True)
class Overview:
    """The data behind the figures, all from one span of time."""

    asked: DashboardQuery
    since: datetime
    traffic: Traffic
    refused: Mapping[str, int]  # by model
    reported: Mapping[str, Tally]  # by model
    drift: Iterable[Drift]

    def figures(self) -> dict[str, Figures]:
        """By model: the chosen one, or all served models, then models that are no longer served."""
        answered = (name for name, _, _ in self.traffic.flags)
        names = [self.asked.model] if self.asked.model else [*serving().names(), *answered]
        return {name: self._figures(name) for name in dict.fromkeys(names)}

    def _figures(self, name: str) -> Figures:
        answers = traffic.of_model(self.traffic, name).answers
        found = [
            Figure(f"{answers:,}", self._cases(name)),
            self._slowest(name),
            self._right(name),
            self._refused(name),
            self._drifted(name),
        ]
        return list(zip(COLUMNS, found, strict=True))

    def _cases(self, name: str, **query: str) -> str:
        return cases_link(version=name, since=f"{self.since:%Y-%m-%dT%H:%M}", **query)

    def _slowest(self, name: str) -> Figure | None:
        """The 99th percentile of the duration of single requests; without any, of other kinds."""
        of_one = traffic.latencies(traffic.of_model(self.traffic, name))
        first = [one for one in of_one if one.kind == traffic.REQUESTS] or of_one
        if not first:
            return None
        p99 = first[0].quantiles["p99"]
        return Figure(f"{p99:,.3g}" if p99 < 1_000 else f"{p99:,.0f}",
                      cases_link(version=name, took=f"{p99:.4g}"))  # fmt: skip

    def _refused(self, name: str) -> Figure | None:
        count = self.refused.get(name)
        link = reverse("admin:predictor_refusal_changelist", query={"model": name})
        return Figure(f"{count:,}", link) if count else None

    def _right(self, name: str) -> Figure | None:
        tally = self.reported.get(name)
        if tally is None:
            return None
        return Figure(f"{tally.share_right:.0%}", self._cases(name, outcome="wrong"))

    def _drifted(self, name: str) -> Figure | None:
        found = [one.drifted for one in self.drift if one.model == name]
        text = f"{sum(found)} of {len(found)}"
        link = f"{self.asked.link(model=name)}#drift"
        return Figure(text, link, any(found)) if found else None
