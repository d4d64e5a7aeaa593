"""The figures of the first admin page, each from a bounded look into the log."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Sum

from predictor.artifacts.names import version_key
from predictor.artifacts.version import ModelVersion
from predictor.log import history, traffic
from predictor.log.accuracy import Accuracy, Bin, measure_accuracy
from predictor.log.charts import Chart, columns
from predictor.log.drift import drift, left_alone
from predictor.models import Refusal, Upkeep
from predictor.serving.current import serving

WINDOWS = (7, 30, 90)  # days that accuracy can be seen over
_DAYS = 7  # of refusals
_MOST = 20  # lines of a list, flags of a model
_VERSIONS = 5  # of each model, whose accuracy is shown
_MINUTE, _KEPT = 60, 300  # seconds


@dataclass(frozen=True)
class VersionAccuracy:
    """A version's accuracy, with its reliability diagram and its confusion as a table."""

    figures: Accuracy
    reliability: Chart
    flags: list[str]
    confusion: list[tuple[str, list[int]]]


def dashboard(days: str = "") -> dict[str, Any]:
    """Everything the page shows, accuracy over the last ``days``, one of WINDOWS (else: all).

    Figures are kept for a minute, those of accuracy for five, because they cost.
    """
    window = int(days) if days.isdecimal() and int(days) in WINDOWS else 0
    found: dict[str, Any] | None = cache.get("dashboard")
    if found is None:
        found = _figures()
        cache.set("dashboard", found, _MINUTE)
    models = [_line(name, model) for name, model in _active().items()]
    shown = {"models": models, "accuracy": _accuracy(window), "windows": _windows(window)}
    return found | shown


def _accuracy(window: int) -> list[VersionAccuracy]:
    """What is known of each version about its answers of the last ``window`` days; 0: of all."""
    key = f"accuracy:{window}"
    found: list[VersionAccuracy] | None = cache.get(key)
    if found is None:
        since = datetime.now(UTC) - timedelta(days=window) if window else None
        found = [told for pair in _newest_versions() if (told := _told(*pair, since))]
        cache.set(key, found, _KEPT)
    return found


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


def _windows(chosen: int) -> list[tuple[str, str, bool]]:
    """(title, query, whether it is shown) of the windows there are."""
    every = [("all answers", "?", not chosen)]
    return every + [(f"the last {n} days", f"?days={n}", n == chosen) for n in WINDOWS]


def _figures() -> dict[str, Any]:
    models = serving().at_hand().values()
    hours = traffic.hours()
    day = traffic.together(hour for _, hour in hours)
    return {
        "hours": columns([(f"{start:%H}:00", hour.answers) for start, hour in hours]),
        "latency": traffic.latencies(day),
        "shares": traffic.shares(day, _MOST),
        "errors": _refused(kind__startswith="status"),
        "unknown": _refused(kind="unknown label"),
        "drift": [one for model in models for one in drift(model)],
        "not_compared": [
            (f"{model.name} {model.version}", ", ".join(names))
            for model in models
            if (names := left_alone(model))
        ],
        "days": _DAYS,
        "upkeep": list(Upkeep.objects.all()),
    }


def _refused(**wanted: Any) -> list[Any]:
    since = datetime.now(UTC).date() - timedelta(days=_DAYS)
    rows = Refusal.objects.filter(day__gte=since, **wanted)
    grouped = rows.values("kind", "model", "field", "value").annotate(times=Sum("count"))
    return list(grouped.order_by("-times")[:_MOST])


def _active() -> dict[str, ModelVersion | None]:
    """The version of each model that answers; None where none does."""
    return dict.fromkeys(serving().names()) | serving().at_hand()


def _line(name: str, model: ModelVersion | None) -> tuple[str, str, str]:
    """(title, version, warnings) as the page shows them."""
    if model is None:
        return name, "no version can answer now", ""
    return model.title, f"{name} {model.version}", "; ".join(model.warnings)


def _told(model: str, version: str, since: datetime | None) -> VersionAccuracy | None:
    figures = measure_accuracy(model, version, since)
    if figures is None:
        return None
    flags = sorted({flag for pair in figures.confusion for flag in pair})[:_MOST]
    table = [(truth, [figures.confusion.get((truth, top), 0) for top in flags]) for truth in flags]
    bars = [(_bin_title(one), one.share_correct) for one in figures.reliability]
    scores = [one.mean_score for one in figures.reliability]
    ends = [f"{tenth:.0%}" for one in figures.reliability for tenth in (one.low, one.low + 0.1)]
    outer = (ends[0], ends[-1]) if ends else None
    return VersionAccuracy(
        figures, columns(bars, highest=1.0, marks=scores, ends=outer), flags, table
    )


def _bin_title(one: Bin) -> str:
    span = f"{one.low:.0%} to {one.low + 0.1:.0%}"
    return f"{span} ({one.count:,} answers, mean score {one.mean_score:.0%})"
