"""What was asked in each part of the last hour, day or year, how long it took, what was answered.

A part that is over is looked at once and remembered. Of a busy one some answers are looked at,
drawn evenly, and stand for the whole.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db.models import Q, QuerySet

from predictor.log import history
from predictor.log.uuid7 import EPOCH
from predictor.models import Prediction

MOST = 500  # answers of a part that are looked at; in a busy one, of each kind
REQUESTS, ARRAYS, FILES = "requests", "arrays", "files"
_FIELDS = ("model", "source", "items", "duration", "top_flag")
_FILE = Q(source=Prediction.Source.CSV)
_KINDS = (_FILE, ~_FILE & Q(items__gt=1), ~_FILE & (Q(items=1) | Q(items=None)))
_STEP = math.log(1.05)  # durations are kept in steps of 5 %
_SHORTEST = 1e-3  # ms
_DAY = 86_400  # seconds
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "longest": 1.0}


@dataclass(frozen=True)
class Span:
    """A time that ends now, in parts of equal length."""

    title: str
    part: timedelta
    count: int

    @property
    def whole(self) -> timedelta:
        return self.part * self.count


SPANS = {
    "hour": Span("hour", timedelta(minutes=5), 12),
    "day": Span("day", timedelta(hours=1), 24),
    "week": Span("week", timedelta(hours=6), 28),
    "month": Span("month", timedelta(days=1), 30),
    "quarter": Span("quarter", timedelta(days=7), 13),
    "year": Span("year", timedelta(days=28), 13),
}


@dataclass
class Traffic:
    """What was asked in some time."""

    answers: int = 0
    # how many answers, by model, whether in a file, and flag
    flags: defaultdict[tuple[str, bool, str], float] = field(
        default_factory=lambda: defaultdict(float)
    )
    # how many requests, by model, kind and step of duration
    durations: defaultdict[tuple[str, str, int], float] = field(
        default_factory=lambda: defaultdict(float)
    )


@dataclass(frozen=True)
class Latency:
    """How long requests of one kind took, in ms from parsed request to scores."""

    model: str
    kind: str  # requests of one case, arrays, or files: these by parts of up to a thousand rows
    count: int
    quantiles: dict[str, float]


@dataclass(frozen=True)
class Share:
    """Of a model's answers to requests, and of those to files, the part with this top flag."""

    model: str
    flag: str
    requests: float | None
    files: float | None


def parts(span: Span) -> list[tuple[datetime, Traffic]]:
    """The parts of a span, each with its start; the last one is running."""
    this = datetime.now(UTC)
    this -= (this - EPOCH) % span.part
    starts = [this - span.part * back for back in range(span.count - 1, -1, -1)]
    return [(start, _part(start, span.part, is_over=start != this)) for start in starts]


def of_model(traffic: Traffic, model: str) -> Traffic:
    """The part of it that one model answered."""
    flags = {key: count for key, count in traffic.flags.items() if key[0] == model}
    durations = {key: count for key, count in traffic.durations.items() if key[0] == model}
    whole = Traffic(round(math.fsum(flags.values())))
    whole.flags.update(flags)
    whole.durations.update(durations)
    return whole


def together(parts: Iterable[Traffic]) -> Traffic:
    """All of ``parts`` as one."""
    whole = Traffic()
    for part in parts:
        whole.answers += part.answers
        for answered, count in part.flags.items():
            whole.flags[answered] += count
        for took, count in part.durations.items():
            whole.durations[took] += count
    return whole


def latencies(traffic: Traffic) -> list[Latency]:
    """By model and kind."""
    steps: dict[tuple[str, str], dict[int, float]] = {}
    for (model, kind, step), count in traffic.durations.items():
        steps.setdefault((model, kind), {})[step] = count
    return [
        Latency(model, kind, round(math.fsum(counted.values())), _quantiles(counted))
        for (model, kind), counted in sorted(steps.items())
    ]


def shares(traffic: Traffic, most: int) -> list[Share]:
    """By model, the ``most`` frequent flags of each."""
    totals: defaultdict[tuple[str, bool], float] = defaultdict(float)
    by_model: dict[str, defaultdict[str, float]] = {}
    for (model, in_file, flag), count in traffic.flags.items():
        totals[model, in_file] += count
        by_model.setdefault(model, defaultdict(float))[flag] += count

    def share(model: str, flag: str, *, in_file: bool) -> float | None:
        total = totals[model, in_file]
        return traffic.flags.get((model, in_file, flag), 0.0) / total if total else None

    return [
        Share(model, flag, share(model, flag, in_file=False), share(model, flag, in_file=True))
        for model, flags in sorted(by_model.items())
        for flag in sorted(flags, key=lambda flag: -flags[flag])[:most]
    ]


def _part(start: datetime, length: timedelta, *, is_over: bool) -> Traffic:
    key = f"traffic:{start:%Y%m%d%H%M}:{length.total_seconds():.0f}"
    found: Traffic | None = cache.get(key) if is_over else None
    if found is None:
        found = _looked_up(start, length)
        if is_over:
            cache.set(key, found, _DAY)
    return found


def _looked_up(start: datetime, length: timedelta) -> Traffic:
    rows = history.between(Prediction.objects.order_by(), start, start + length)
    traffic = Traffic(answers=rows.count())
    # each kind by itself in a busy part, or a large file would crowd out the requests
    kinds = [rows.filter(kind) for kind in _KINDS] if traffic.answers > MOST else [rows]
    for part in kinds:
        _count(traffic, part)
    return traffic


def _count(traffic: Traffic, rows: QuerySet[Prediction]) -> None:
    count = rows.count()
    drawn = list(history.sampled(rows, MOST, count=count).values_list(*_FIELDS))
    for model, source, items, duration, flag in drawn:
        in_file = source == Prediction.Source.CSV
        kind = FILES if in_file else ARRAYS if (items or 1) > 1 else REQUESTS
        step = round(math.log(max(duration, _SHORTEST)) / _STEP)
        stands_for = count / len(drawn)
        traffic.flags[model, in_file, flag] += stands_for
        traffic.durations[model, kind, step] += stands_for / (items or 1)


def _quantiles(steps: Mapping[int, float]) -> dict[str, float]:
    """Milliseconds, to 2.5 %."""
    wanted = dict(_QUANTILES)
    found: dict[str, float] = {}
    seen, total = 0.0, math.fsum(steps.values())
    for step, count in sorted(steps.items()):
        seen += count
        for name in [name for name, part in wanted.items() if seen >= part * total * (1 - 1e-9)]:
            found[name] = math.exp(step * _STEP)
            del wanted[name]
    return found
