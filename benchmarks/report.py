"""From measurements to ratios: medians over the rounds, floors, and the guard's comparison."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.measuring import Measurement
from benchmarks.sides import CONNECTIONS, SIDES

Rounds = Mapping[str, list[Measurement]]  # by side; the same index is the same round
TITLES = {side.name: side.title for side in SIDES}


@dataclass(frozen=True)
class Ratio:
    """One aim: ``side`` against ``other`` in ``what``, at as many ``connections``.

    ``floor`` is the least ratio of requests per second, ``ceiling`` the greatest ratio of other
    figures. Without ``other`` the aim is for the figure itself.
    """

    side: str
    other: str | None
    what: str = "per_second"
    floor: float = 0.0
    ceiling: float = float("inf")
    connections: int = CONNECTIONS[-1]

    @property
    def title(self) -> str:
        against = f" / {TITLES[self.other]}" if self.other else ""
        alone = " of one connection" if self.connections == 1 else ""
        few = f", {self.connections} connections" if 1 < self.connections < CONNECTIONS[-1] else ""
        return f"{_WORDS[self.what]}{alone}: {TITLES[self.side]}{against}{few}"

    def of(self, rounds: Rounds) -> float:
        """Median over rounds of the ratio within a round, which a busy machine affects less."""
        if self.other is None:
            return median(self._value(measured) for measured in rounds[self.side])
        pairs = zip(rounds[self.side], rounds[self.other], strict=True)
        return median(self._value(ours) / self._value(theirs) for ours, theirs in pairs)

    def _value(self, measured: Measurement) -> float:
        if self.what in ("memory", "cold_start"):
            return float(getattr(measured, self.what))
        return float(getattr(measured.loads[self.connections], self.what))

    def holds(self, value: float) -> bool:
        return self.floor <= value <= self.ceiling

    @property
    def aim(self) -> str:
        return f"≥ {self.floor:g}" if self.floor else f"≤ {self.ceiling:g}"


_WORDS = {
    "per_second": "requests/s",
    "p50": "p50",
    "p99": "p99",
    "memory": "memory",
    "cold_start": "cold start, s",
}

RATIOS = (
    Ratio("off", "hello", floor=0.95),
    Ratio("off", "hello", "p99", ceiling=3),
    Ratio("off", "table-fastapi", floor=1),
    Ratio("sqlite", "hello", floor=0.6),
    Ratio("postgres", "hello", floor=0.45),
    Ratio("sqlite", "hello", "p50", ceiling=2, connections=1),
    Ratio("canary", "sqlite", "p99", ceiling=1.05),
    Ratio("sqlite", "fastapi", floor=20),
    Ratio("sqlite", "fastapi", "p99", ceiling=0.06),
    Ratio("sqlite", "mlserver", floor=25),
    Ratio("sqlite", "bentoml", floor=25),
    Ratio("sqlite", "mlflow", floor=25),
    Ratio("sqlite", "litserve", floor=25),
    Ratio("weather", "sqlite", floor=0.75),
    Ratio("weather", "fastapi-weather", floor=15),
    Ratio("no-table", "sqlite", "p50", ceiling=1.25, connections=1),
    Ratio("thousand", "fastapi-thousand", floor=5),
    Ratio("thousand", "fastapi-thousand", floor=2.5, connections=4),
    Ratio("sqlite", "fastapi", "memory", ceiling=1),
    Ratio("sqlite", None, "cold_start", ceiling=0.8),
    Ratio("million", "sqlite", "p50", ceiling=1.1),
    Ratio("twenty", "sqlite", "p50", ceiling=1.1),
)


def ratios_of(rounds: Rounds) -> list[tuple[Ratio, float]]:
    """The ratios that the measured sides and connections give, each with its value."""
    return [
        (r, r.of(rounds))
        for r in RATIOS
        if r.side in rounds
        and (r.other is None or r.other in rounds)
        and r.connections in rounds[r.side][0].loads
    ]


def as_json(rounds: Rounds) -> dict[str, object]:
    """Everything measured, for programs."""
    return {
        "sides": {name: _summary(measured) for name, measured in rounds.items()},
        "ratios": [
            {"title": ratio.title, "value": value, "aim": ratio.aim,
             "holds": ratio.holds(value)}
            for ratio, value in ratios_of(rounds)
        ],
    }  # fmt: skip


def _summary(measured: Iterable[Measurement]) -> dict[str, float]:
    measured = list(measured)
    summary = {
        "cold start s": median(m.cold_start for m in measured),
        "memory MB": median(m.memory for m in measured),
    }
    for connections in measured[0].loads:
        loads = [m.loads[connections] for m in measured]
        for what in ("per_second", "p50", "p99"):
            summary[f"{what} {connections}"] = median(getattr(load, what) for load in loads)
        summary[f"processor µs {connections}"] = median(m.processor[connections] for m in measured)
    return summary


def as_markdown(rounds: Rounds) -> str:
    """The tables of ``docs/benchmarks.md``."""
    few, many = CONNECTIONS
    lines = [
        (
            f"| side | requests/s, {few} | requests/s, {many} | p50 ms, {few} | p50 ms, {many} "
            f"| p99 ms, {many} | processor µs per request | cold start s | memory MB |"
        ),
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, measured in rounds.items():
        s = _summary(measured)
        lines.append(
            f"| {TITLES[name]} | {s.get(f'per_second {few}', 0):,.0f} "
            f"| {s[f'per_second {many}']:,.0f} | {s.get(f'p50 {few}', 0):.2f} "
            f"| {s[f'p50 {many}']:.2f} | {s[f'p99 {many}']:.1f} | {s[f'processor µs {many}']:,.0f} "
            f"| {s['cold start s']:.1f} | {s['memory MB']:.0f} |"
        )
    lines += ["", "| ratio | measured | aim |", "|---|--:|--:|"]
    lines += [f"| {r.title} | {value:.2f} | {r.aim} |" for r, value in ratios_of(rounds)]
    return "\n".join(lines) + "\n"


def known_ratios(document: Path) -> dict[str, float]:
    """The ratios that ``docs/benchmarks.md`` states, by title."""
    rows = re.findall(r"^\| (.+?) \| ([\d.]+) \| [≥≤]", document.read_text(), re.MULTILINE)
    return {title: float(value) for title, value in rows}


def worsened(rounds: Rounds, known: Mapping[str, float], tolerance: float = 0.2) -> list[str]:
    """A sentence for each ratio that is worse than the known one by more than ``tolerance``."""
    sentences = []
    for ratio, value in ratios_of(rounds):
        before = known.get(ratio.title)
        if before is None:
            continue
        worse = before / value if ratio.floor else value / before
        if worse > 1 / (1 - tolerance):
            sentences.append(f"{ratio.title} is {value:.2f}; docs/benchmarks.md has {before:.2f}")
    return sentences
