"""The figures of the first admin page, each from a bounded query of the log, and linked to it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache

from predictor.admin.dashboard_query import DashboardQuery
from predictor.admin.listing import cases_link
from predictor.admin.overview import COLUMNS, Overview, lines
from predictor.admin.refused_requests import DAY, FEWEST_DAYS, MOST, RefusedRequests
from predictor.admin.titles import flag_title
from predictor.admin.track_record import WINDOWS, SpanAccuracy, track_records
from predictor.artifacts.version import ModelVersion
from predictor.log import traffic
from predictor.log.charts import Chart, columns
from predictor.log.drift import Drift, drift, drift_by_day, not_measured
from predictor.log.traffic import SPANS, Span, Traffic
from predictor.log.traffic_parts import parts as traffic_parts
from predictor.models import Upkeep
from predictor.serving.current import serving

_MINUTE = 60  # seconds for which figures are cached


def dashboard(query: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The content of the page. Figures are cached for a minute, those of accuracy for five."""
    asked = DashboardQuery.parse(query or {})
    key = f"dashboard:{asked.model}:{asked.span}"
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        found = _figures(asked)
        cache.set(key, found, _MINUTE)
    return found | _one_model(asked, found["drift"]) | {
        "asked": asked,
        "columns": COLUMNS,
        "lines": lines(asked, found["figures"]),
        "models": _choices(asked),
        "spans": [(span.title, asked.link(span=name), name == asked.span)
                  for name, span in SPANS.items()],
    }  # fmt: skip


def _one_model(asked: DashboardQuery, found: list[Drift]) -> dict[str, Any]:
    """The details of the page's model; empty if the page is about several."""
    if not asked.about:
        return {}
    window = int(asked.days) if asked.days in map(str, WINDOWS) else 0
    return {
        "accuracy": track_records(window, asked.about),
        "windows": _windows(asked, window),
        "moved": _moved(found, asked),
    }


def _figures(asked: DashboardQuery) -> dict[str, Any]:
    span = SPANS[asked.span]
    parts = traffic_parts(span)
    if asked.model:
        parts = [(start, traffic.of_model(part, asked.model)) for start, part in parts]
    whole = traffic.together(part for _, part in parts)
    models = [m for m in serving().at_hand().values() if asked.model in ("", m.name)]
    refused, reported = RefusedRequests(asked, span), SpanAccuracy(asked.model, span)
    latencies, shares = traffic.latencies(whole), traffic.shares(whole, MOST)
    drifted = [one for model in models for one in drift(model)]
    kept = replace(asked, days="", drift="")  # the cache is shared by all users
    overview = Overview(kept, parts[0][0], whole, refused.by_model(), reported.by_model, drifted)
    return {
        "figures": overview.figures(),
        "as_of": datetime.now(UTC),
        "span": span.title,
        "answers": _answers(parts, span, asked.model),
        "slowest": _slowest(parts, span, asked.model),
        "latency": latencies,
        "latency_lines": [(one, cases_link(version=one.model, took=f"{one.quantiles['p99']:.4g}"))
                          for one in latencies],
        "shares": shares,
        "share_lines": [(one, flag_title(one.model, one.flag),
                    cases_link(version=one.model, flag=one.flag))
                        for one in shares],
        "refused": refused.chart(),
        "refused_days": refused.days,
        "errors": refused.most(kind__startswith="status"),
        "unknown": refused.most(kind="unknown label"),
        "correct": reported.trend(),
        "drift": drifted,
        "not_compared": _not_compared(models),
        "upkeep": list(Upkeep.objects.all()),
    }  # fmt: skip


def _not_compared(models: Iterable[ModelVersion]) -> list[tuple[str, str]]:
    """Versions, each with the features whose drift is not measured."""
    left = [(f"{model.name} {model.version}", not_measured(model)) for model in models]
    return [(version, ", ".join(names)) for version, names in left if names]


def _during(start: datetime, span: Span, **query: str) -> str:
    """A link to the cases of one part of the span, up to the last minute before its end."""
    end = start + span.part - timedelta(minutes=1)
    return cases_link(since=f"{start:%Y-%m-%dT%H:%M}", until=f"{end:%Y-%m-%dT%H:%M}", **query)


def _label(start: datetime, span: Span) -> str:
    return f"{start:%H:%M}" if span.whole <= DAY else f"{start:%-d %b}"


def _answers(parts: list[tuple[datetime, Traffic]], span: Span, model: str) -> Chart:
    bars = [(_label(start, span), part.answers) for start, part in parts]
    return columns(bars, links=[_during(start, span, version=model) for start, _ in parts])


def _slowest(parts: list[tuple[datetime, Traffic]], span: Span, model: str) -> Chart | None:
    """The 99th percentile of the duration of single requests over time; the mark is the median."""
    halves: list[float | None] = []
    bars, links = [], []
    for start, part in parts:
        found = [one for one in traffic.latencies(part) if one.kind == traffic.REQUESTS]
        slowest = max((one.quantiles["p99"] for one in found), default=0.0)
        bars.append((_label(start, span), slowest))
        halves.append(max((one.quantiles["p50"] for one in found), default=None))
        links.append(_during(start, span, version=model, took=f"{slowest:.4g}"))
    return columns(bars, marks=halves, links=links) if any(halves) else None


def _choices(asked: DashboardQuery) -> list[tuple[str, str, bool]]:
    """(name, link, whether it is chosen) of each model, and of all together."""
    names = ["", *serving().names()]
    return [(name or "all models", asked.link(model=name, drift=""), name == asked.model)
            for name in names]  # fmt: skip


def _windows(asked: DashboardQuery, chosen: int) -> list[tuple[str, str, bool]]:
    """(title, link, whether it is shown) of each window of accuracy."""
    every = [("all answers", asked.link(days=""), not chosen)]
    return every + [
        (f"the last {n} days", asked.link(days=str(n)), n == chosen) for n in WINDOWS
    ]  # fmt: skip


def _moved(found: list[Drift], asked: DashboardQuery) -> dict[str, Any] | None:
    """The drift whose two distributions are drawn: the chosen one, else the greatest."""
    if not found:
        return None
    names = [f"{one.model}/{one.population}/{one.subject}" for one in found]
    drawn = found[names.index(asked.drift) if asked.drift in names else 0]
    highest = max((share for _, *shares in drawn.shares for share in shares), default=1.0)
    lines = [(one, asked.link(drift=name)) for one, name in zip(found, names, strict=True)]
    by_day = _by_day(drawn, SPANS[asked.span])
    return {"one": drawn, "lines": lines, "highest": highest, "by_day": by_day}


def _by_day(one: Drift, span: Span) -> Chart | None:
    """The same index on each day with a measurement; the mark is the threshold of drift."""
    model = serving().at_hand().get(one.model)
    if model is None:
        return None
    first = datetime.now(UTC).date() - max(span.whole, FEWEST_DAYS * DAY)
    psi = {
        day: same.psi
        for day, found in drift_by_day(model, first).items()
        for same in found
        if (same.subject, same.population) == (one.subject, one.population)
    }
    if len(psi) < 2:
        return None
    threshold = settings.DRIFT_THRESHOLD
    bars = [(f"{day:%-d %b}", value) for day, value in psi.items()]
    highest = max(*psi.values(), threshold) * 1.1
    return columns(bars, highest=highest, marks=[threshold] * len(bars))
