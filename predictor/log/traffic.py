"""Traffic of a period: counts of requests, durations and answers, and their totals.

``traffic_parts`` reads them from the log.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from predictor.models import Prediction

REQUESTS, ARRAYS, FILES = "requests", "arrays", "files"
_STEP = math.log(1.05)  # durations are kept in steps of 5 %
_SHORTEST = 1e-3  # ms
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "longest": 1.0}


@dataclass(frozen=True)
class Span:
    """A period that ends now, in parts of equal length."""

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


class SampledAnswer(NamedTuple):
    """The part of a logged answer that traffic counts."""

    model: str
    source: str
    items: int | None  # of its request; None from an older release
    duration: float  # ms, of all its items
    flag: str

    @property
    def kind(self) -> str:
        """The kind of request that it answered."""
        if self.source == Prediction.Source.CSV:
            return FILES
        return ARRAYS if (self.items or 1) > 1 else REQUESTS


@dataclass
class Traffic:
    """The traffic of a period."""

    answers: int = 0
    # number of answers by model, whether in a file, and flag
    flags: defaultdict[tuple[str, bool, str], float] = field(
        default_factory=lambda: defaultdict(float)
    )
    # number of requests by model, kind and step of duration
    durations: defaultdict[tuple[str, str, int], float] = field(
        default_factory=lambda: defaultdict(float)
    )

    def add(self, answer: SampledAnswer, stands_for: float) -> None:
        """Count a sampled answer, once for each answer that it represents."""
        step = round(math.log(max(answer.duration, _SHORTEST)) / _STEP)
        self.flags[answer.model, answer.kind == FILES, answer.flag] += stands_for
        self.durations[answer.model, answer.kind, step] += stands_for / (answer.items or 1)

    def as_json(self) -> dict[str, Any]:
        """The counts, as ``from_json`` reads them."""
        return {
            "answers": self.answers,
            "flags": [[*key, count] for key, count in self.flags.items()],
            "durations": [[*key, count] for key, count in self.durations.items()],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Traffic":
        """The counts from the output of ``as_json``."""
        whole = cls(kept["answers"])
        whole.flags.update({tuple(key): count for *key, count in kept["flags"]})
        whole.durations.update({tuple(key): count for *key, count in kept["durations"]})
        return whole


@dataclass(frozen=True)
class Latency:
    """How long requests of one kind took, in ms from parsed request to scores."""

    model: str
    kind: str  # single cases, arrays, or files; a file counts in parts of up to 1,000 rows
    count: int
    quantiles: dict[str, float]


@dataclass(frozen=True)
class Share:
    """The shares of a model's answers to requests, and to files, that have this top flag."""

    model: str
    flag: str
    requests: float | None
    files: float | None


def of_model(traffic: Traffic, model: str) -> Traffic:
    """The traffic of one model."""
    flags = {key: count for key, count in traffic.flags.items() if key[0] == model}
    durations = {key: count for key, count in traffic.durations.items() if key[0] == model}
    whole = Traffic(round(math.fsum(flags.values())))
    whole.flags.update(flags)
    whole.durations.update(durations)
    return whole


def together(parts: Iterable[Traffic]) -> Traffic:
    """The sum of ``parts``."""
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
