"""What was asked in some time, how long it took, and what was answered: counts, and their sums.

Where they come from is in ``traffic_parts``.
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


class SampledAnswer(NamedTuple):
    """What the log keeps of an answer, as far as traffic is concerned."""

    model: str
    source: str
    items: int | None  # of its request; an older release kept no number
    duration: float  # ms, of all its items
    flag: str

    @property
    def kind(self) -> str:
        """What kind of request it answered."""
        if self.source == Prediction.Source.CSV:
            return FILES
        return ARRAYS if (self.items or 1) > 1 else REQUESTS


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

    def add(self, answer: SampledAnswer, stands_for: float) -> None:
        """Count an answer that was drawn, once for each that it stands for."""
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
        """The counts that ``as_json`` gave."""
        whole = cls(kept["answers"])
        whole.flags.update({tuple(key): count for *key, count in kept["flags"]})
        whole.durations.update({tuple(key): count for *key, count in kept["durations"]})
        return whole


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
