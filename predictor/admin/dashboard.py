"""The figures of the first admin page, each from a bounded look into the log."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Sum

from predictor.artifacts.names import version_key
from predictor.artifacts.version import ModelVersion
from predictor.log import history
from predictor.log.accuracy import Accuracy, Bin, measure_accuracy
from predictor.log.charts import Chart, columns
from predictor.log.drift import drift
from predictor.models import Prediction, Refusal
from predictor.serving.current import serving

WINDOWS = (7, 30, 90)  # days that accuracy can be seen over
NEWEST = 5_000  # answers that latency and shares are taken from
_HOURS = 24
_DAYS = 7  # of refusals
_MOST = 20  # lines of a list
_VERSIONS = 5  # of each model, whose accuracy is shown
_MINUTE, _KEPT, _DAY = 60, 300, 86_400  # seconds


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
    latest = list(
        Prediction.objects.order_by("-id").values_list("duration", "top_flag", "model")[:NEWEST]
    )
    return {
        "hours": _hours(),
        "answers": len(latest),
        "quantiles": _quantiles(sorted(duration for duration, _, _ in latest)),
        "shares": _shares([(model, flag) for _, flag, model in latest]),
        "errors": _refused(kind__startswith="status"),
        "unknown": _refused(kind="unknown label"),
        "drift": [one for model in serving().at_hand().values() for one in drift(model)],
        "threshold": settings.DRIFT_THRESHOLD,
        "days": _DAYS,
    }


def _hours() -> Chart:
    """Answers in each of the last 24 hours."""
    this = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    starts = [this - timedelta(hours=back) for back in range(_HOURS - 1, -1, -1)]
    return columns([(f"{start:%H}:00", _answers(start, start == this)) for start in starts])


def _answers(start: datetime, is_running: bool) -> int:
    """Answers of one hour; of one that is over they are counted once and remembered."""
    key = f"answers:{start:%Y%m%d%H}"
    found: int | None = None if is_running else cache.get(key)
    if found is None:
        end = start + timedelta(hours=1)
        found = history.between(Prediction.objects.all(), start, end).count()
        if not is_running:
            cache.set(key, found, _DAY)
    return found


def _quantiles(durations: list[float]) -> list[tuple[str, float]]:
    if not durations:
        return []
    last = len(durations) - 1
    quantiles = [(f"p{q * 100:g}", durations[round(last * q)]) for q in (0.5, 0.9, 0.99)]
    return [*quantiles, ("longest", durations[-1])]


def _shares(flags: list[tuple[str, str]]) -> list[tuple[str, str, float, str]]:
    """(model, flag, share of the model's answers, that in percent), the greatest first."""
    totals = Counter(model for model, _ in flags)
    counted = Counter(flags).most_common(_MOST)
    shares = ((model, flag, count / totals[model]) for (model, flag), count in counted)
    return [(model, flag, share, f"{share:.1%}") for model, flag, share in shares]


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
