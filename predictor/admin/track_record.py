"""How good the answers were, by the outcomes that came in, beside what the training promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache import cache

from predictor.admin.listing import cases_link
from predictor.admin.titles import flag_title
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.figures import counted
from predictor.artifacts.files import read_version
from predictor.artifacts.names import version_key
from predictor.log import history
from predictor.log.accuracy import MOST as OUTCOMES
from predictor.log.accuracy import Accuracy, Bin, measure_accuracy
from predictor.log.charts import Chart, columns
from predictor.log.traffic import Span
from predictor.log.uuid7 import first_at, time_of
from predictor.models import Outcome
from predictor.serving.current import serving

WINDOWS = (7, 30, 90)  # days that accuracy can be seen over
_MOST = 20  # flags of a model
_VERSIONS = 5  # of each model, whose accuracy is shown
_KEPT = 300  # seconds
_FIGURES = ("accuracy", "log_loss", "brier", "calibration_error")


@dataclass(frozen=True)
class VersionAccuracy:
    """A version's accuracy, with its reliability diagram and its confusion as a table."""

    figures: Accuracy
    live: list[float | None]  # accuracy, log loss, Brier score, calibration error
    promised: list[float | None]  # the same, as measured at training; None where it says nothing
    reliability: Chart
    flags: list[str]  # titles
    confusion: list[tuple[str, list[tuple[int, str]]]]  # truth, (count, where they are listed)
    link: str


def track_records(window: int, model: str = "") -> list[VersionAccuracy]:
    """What is known of each version about its answers of the last ``window`` days; 0: of all."""
    key = f"accuracy:{window}:{model}"
    found: list[VersionAccuracy] | None = cache.get(key)
    if found is None:
        since = datetime.now(UTC) - timedelta(days=window) if window else None
        pairs = [pair for pair in _newest_versions() if model in ("", pair[0])]
        found = [one for pair in pairs if (one := _record(*pair, since))]
        cache.set(key, found, _KEPT)
    return found


def accuracy_trend(model: str, span: Span) -> Chart | None:
    """The share of answers that were right, over time; marked, the mean score, which promised it.

    Of one model, or of all. None without outcomes.
    """
    start = datetime.now(UTC) - span.whole
    sums = _sums(model, start, span)
    if not any(part.count for part in sums):
        return None
    starts = [start + span.part * number for number in range(span.count)]
    form = "%H:%M" if span.whole <= timedelta(days=1) else "%-d %b"
    bars = [(f"{at:{form}}", part.share_right) for at, part in zip(starts, sums, strict=True)]
    scores = [part.mean_score for part in sums]
    ends = [(f"{at:%Y-%m-%dT%H:%M}", f"{at + span.part:%Y-%m-%dT%H:%M}") for at in starts]
    links = [cases_link(outcome="wrong", version=model, since=at, until=end) for at, end in ends]
    return columns(bars, highest=1.0, marks=scores, links=links)


def _sums(model: str, start: datetime, span: Span) -> list["_Sums"]:
    """For each part of the span after ``start``."""
    known = Outcome.objects.filter(prediction_id__gte=first_at(start))
    if model:
        known = known.filter(model=model)
    rows = history.sampled(known, OUTCOMES, key="prediction_id")
    sums = [_Sums() for _ in range(span.count)]
    fields = ("prediction_id", "flag", "prediction__top_flag", "prediction__top_score")
    for identity, flag, top_flag, score in rows.values_list(*fields):
        part = sums[min(int((time_of(identity) - start) / span.part), span.count - 1)]
        part.count += 1
        part.right += flag == top_flag
        part.scores += score or 0
    return sums


@dataclass
class _Sums:
    """Over the outcomes of one part of a span."""

    count: int = 0
    right: int = 0
    scores: float = 0.0  # the top ones

    @property
    def share_right(self) -> float:
        return self.right / self.count if self.count else 0.0

    @property
    def mean_score(self) -> float | None:
        return min(self.scores / self.count, 1.0) if self.count else None


def _newest_versions() -> list[tuple[str, str]]:
    """(model, version) of the last few versions of each model that answered, the newest first."""
    by_model: dict[str, list[str]] = {}
    for model, version in history.versions():
        by_model.setdefault(model, []).append(version)
    return [
        (model, version)
        for model, versions in by_model.items()
        for version in sorted(versions, key=version_key, reverse=True)[:_VERSIONS]
    ]


def _record(model: str, version: str, since: datetime | None) -> VersionAccuracy | None:
    figures = measure_accuracy(model, version, since)
    if figures is None:
        return None
    flags = sorted({flag for pair in figures.confusion for flag in pair})[:_MOST]
    its = {"version": f"{model}/{version}"}

    def cell(truth: str, top: str) -> tuple[int, str]:
        said = "right" if truth == top else "wrong"
        return figures.confusion.get((truth, top), 0), cases_link(outcome=said, flag=top, **its)

    return VersionAccuracy(
        figures,
        [getattr(figures, name) for name in _FIGURES],
        _promised(model, version),
        _reliability(figures.reliability, its),
        [flag_title(model, flag) for flag in flags],
        [(flag_title(model, truth), [cell(truth, top) for top in flags]) for truth in flags],
        cases_link(outcome="reported", **its),
    )


def _reliability(bins: Sequence[Bin], its: Mapping[str, str]) -> Chart:
    bars = [(_bin_title(one), one.share_correct) for one in bins]
    links = [cases_link(outcome="reported", low=f"{one.low:g}", high=f"{one.low + 0.1:g}", **its)
             for one in bins]  # fmt: skip
    scores = [one.mean_score for one in bins]
    ends = (f"{bins[0].low:.0%}", f"{bins[-1].low + 0.1:.0%}") if bins else None
    return columns(bars, highest=1.0, marks=scores, ends=ends, links=links)


def _promised(model: str, version: str) -> list[float | None]:
    try:
        metadata = read_version(serving().registry.folder(model, version)).metadata
    except ArtifactError:
        return [None] * len(_FIGURES)
    said = metadata.get("metrics")
    metrics: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    found = [metrics.get(name) for name in _FIGURES]
    return [float(one) if isinstance(one, int | float) else None for one in found]


def _bin_title(one: Bin) -> str:
    return f"{one.low:.0%} to {one.low + 0.1:.0%}, {counted(one.count, 'answer')}"
