"""How good the answers were, by reported outcomes, compared with what the training promised."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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

WINDOWS = (7, 30, 90)  # days over which accuracy is shown
_MOST = 20  # flags of a model
_VERSIONS = 5  # of each model whose accuracy is shown
_KEPT = 300  # seconds
_FIGURES = ("accuracy", "log_loss", "brier", "calibration_error")


@dataclass(frozen=True)
class VersionAccuracy:
    """A version's accuracy, with its reliability diagram and its confusion as a table."""

    figures: Accuracy
    live: list[float | None]  # accuracy, log loss, Brier score, calibration error
    promised: list[float | None]  # the same, as measured at training; None if unknown
    reliability: Chart
    flags: list[str]  # titles
    confusion: list[tuple[str, list[tuple[int, str]]]]  # outcome, (count, link to the list)
    link: str


def track_records(window: int, model: str = "") -> list[VersionAccuracy]:
    """Each version's accuracy over the last ``window`` days; 0: over all."""
    key = f"accuracy:{window}:{model}"
    found: list[VersionAccuracy] | None = cache.get(key)
    if found is None:
        since = datetime.now(UTC) - timedelta(days=window) if window else None
        pairs = [pair for pair in _newest_versions() if model in ("", pair[0])]
        found = [one for pair in pairs if (one := _record(*pair, since))]
        cache.set(key, found, _KEPT)
    return found


@dataclass
class Tally:
    """Totals over outcomes: how many answers were right, and the probabilities they stated."""

    count: int = 0
    right: int = 0
    scores: float = 0.0  # sum of the top scores

    def add(self, score: float, *, is_right: bool) -> None:
        """Count one outcome."""
        self.count += 1
        self.right += is_right
        self.scores += score

    @property
    def share_right(self) -> float:
        return self.right / self.count if self.count else 0.0

    @property
    def mean_score(self) -> float | None:
        return min(self.scores / self.count, 1.0) if self.count else None


class SpanAccuracy:
    """Which answers of a span of time were right, by their reported outcomes.

    Of many outcomes, it reads an even sample.
    """

    def __init__(self, model: str, span: Span) -> None:
        """For one model, or for all if ``model`` is empty."""
        self._model, self._span = model, span
        self._start = datetime.now(UTC) - span.whole
        self._parts = [Tally() for _ in range(span.count)]
        self.by_model: defaultdict[str, Tally] = defaultdict(Tally)
        for identity, name, flag, top_flag, score in self._outcomes():
            part = min(int((time_of(identity) - self._start) / span.part), span.count - 1)
            for tally in (self._parts[part], self.by_model[name]):
                tally.add(score or 0.0, is_right=flag == top_flag)

    def _outcomes(self) -> Iterable[tuple[Any, ...]]:
        known = Outcome.objects.filter(prediction_id__gte=first_at(self._start))
        if self._model:
            known = known.filter(model=self._model)
        rows = history.sampled(known, OUTCOMES, key="prediction_id")
        return rows.values_list(
            "prediction_id", "model", "flag", "prediction__top_flag", "prediction__top_score"
        )

    def trend(self) -> Chart | None:
        """The share of right answers over time; the mark is the mean score, which promised it.

        None without outcomes.
        """
        if not self.by_model:
            return None
        span = self._span
        starts = [self._start + span.part * number for number in range(span.count)]
        form = "%H:%M" if span.whole <= timedelta(days=1) else "%-d %b"
        bars = [(f"{at:{form}}", part.share_right)
                for at, part in zip(starts, self._parts, strict=True)]  # fmt: skip
        scores = [part.mean_score for part in self._parts]
        ends = [(f"{at:%Y-%m-%dT%H:%M}", f"{at + span.part:%Y-%m-%dT%H:%M}") for at in starts]
        links = [
            cases_link(outcome="wrong", version=self._model, since=at, until=end)
            for at, end in ends
        ]
        return columns(bars, highest=1.0, marks=scores, links=links)


def _newest_versions() -> list[tuple[str, str]]:
    """(model, version) of each model's last few versions that answered, the newest first."""
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
