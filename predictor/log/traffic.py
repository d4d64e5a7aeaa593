"""What was asked in each of the last hours, how long it took, and what was answered.

An hour that is over is looked at once and remembered. Of a busy one a part is looked at, drawn
evenly, and stands for the whole.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.core.cache import cache

from predictor.log import history
from predictor.models import Prediction

HOURS = 24
MOST = 1_000  # answers of an hour that are looked at
REQUESTS, ARRAYS, FILES = "requests", "arrays", "files"
_STEP = math.log(1.05)  # durations are kept in steps of 5 %
_SHORTEST = 1e-3  # ms
_DAY = 86_400  # seconds
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "longest": 1.0}


@dataclass
class Traffic:
    """What was asked in some time."""

    answers: int = 0
    flags: Counter[tuple[str, bool, str]] = field(default_factory=Counter)  # model, in a file, flag
    durations: Counter[tuple[str, str, int]] = field(default_factory=Counter)  # model, kind, step


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


def hours() -> list[tuple[datetime, Traffic]]:
    """The last HOURS hours, each with its start; the last one is running."""
    this = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    starts = [this - timedelta(hours=back) for back in range(HOURS - 1, -1, -1)]
    return [(start, _hour(start, is_over=start != this)) for start in starts]


def together(parts: Iterable[Traffic]) -> Traffic:
    """All of ``parts`` as one."""
    whole = Traffic()
    for part in parts:
        whole.answers += part.answers
        whole.flags.update(part.flags)
        whole.durations.update(part.durations)
    return whole


def latencies(traffic: Traffic) -> list[Latency]:
    """By model and kind."""
    steps: dict[tuple[str, str], Counter[int]] = {}
    for (model, kind, step), count in traffic.durations.items():
        steps.setdefault((model, kind), Counter())[step] += count
    return [
        Latency(model, kind, round(counted.total()), _quantiles(counted))
        for (model, kind), counted in sorted(steps.items())
    ]


def shares(traffic: Traffic, most: int) -> list[Share]:
    """By model, the ``most`` frequent flags of each."""
    totals: Counter[tuple[str, bool]] = Counter()
    by_model: dict[str, Counter[str]] = {}
    for (model, in_file, flag), count in traffic.flags.items():
        totals[model, in_file] += count
        by_model.setdefault(model, Counter())[flag] += count

    def share(model: str, flag: str, *, in_file: bool) -> float | None:
        total = totals[model, in_file]
        return traffic.flags[model, in_file, flag] / total if total else None

    return [
        Share(model, flag, share(model, flag, in_file=False), share(model, flag, in_file=True))
        for model, flags in sorted(by_model.items())
        for flag, _ in flags.most_common(most)
    ]


def _hour(start: datetime, *, is_over: bool) -> Traffic:
    key = f"traffic:{start:%Y%m%d%H}"
    found: Traffic | None = cache.get(key) if is_over else None
    if found is None:
        found = _looked_up(start)
        if is_over:
            cache.set(key, found, _DAY)
    return found


def _looked_up(start: datetime) -> Traffic:
    rows = history.between(Prediction.objects.order_by(), start, start + timedelta(hours=1))
    traffic = Traffic(answers=rows.count())
    drawn = list(
        history.sampled(rows, MOST).values_list("model", "source", "items", "duration", "top_flag")
    )
    for model, source, items, duration, flag in drawn:
        stands_for = traffic.answers / len(drawn)
        in_file = source == Prediction.Source.CSV
        kind = FILES if in_file else ARRAYS if (items or 1) > 1 else REQUESTS
        step = round(math.log(max(duration, _SHORTEST)) / _STEP)
        traffic.flags[model, in_file, flag] += stands_for  # type: ignore[assignment] # parts
        traffic.durations[model, kind, step] += stands_for / (items or 1)  # type: ignore[assignment]
    return traffic


def _quantiles(steps: Counter[int]) -> dict[str, float]:
    """Milliseconds, to 2.5 %."""
    wanted = dict(_QUANTILES)
    found: dict[str, float] = {}
    seen, total = 0.0, steps.total()
    for step, count in sorted(steps.items()):
        seen += count
        for name in [name for name, part in wanted.items() if seen >= part * total * (1 - 1e-9)]:
            found[name] = math.exp(step * _STEP)
            del wanted[name]
    return found
