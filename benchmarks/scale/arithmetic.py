"""From what one replica and one row need to a million answers a second and a trillion rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import TITLES
from benchmarks.scale.rows import Way

ANSWERS = 1_000_000  # per second
ROWS = 1_000_000_000_000
LOAD = 0.7  # share of a replica's capacity: the table of waits has its effect on p99
CONNECTIONS = 12  # to PostgreSQL, from a replica with two workers (docs/operations.md)
READERS = 100  # processors that read the archive
DAY = 86_400  # seconds


@dataclass(frozen=True)
class Replica:
    """One service of two workers, as measured in docs/benchmarks.md."""

    per_second: float  # answers at 32 connections
    processor: float  # µs per request
    memory: float  # MB


@dataclass(frozen=True)
class Sum:
    """One line: the formula in words, the formula with figures, and the result."""

    what: str
    formula: str
    figures: str
    result: str


def replica_of(page: Path, side: str) -> Replica:
    """The row of ``side`` in the table of ``page``."""
    row = re.search(rf"^\| {re.escape(TITLES[side])} \|(.+)\|$", page.read_text(), re.MULTILINE)
    if row is None:
        raise ValueError(f"{page} has no row of {TITLES[side]!r}; scripts/bench --write writes it")
    cells = [float(cell.replace(",", "")) for cell in row[1].split("|")]
    return Replica(cells[1], cells[5], cells[7])


def sums(replica: Replica, ways: Mapping[str, Way]) -> Iterator[Sum]:
    """What ANSWERS per second and ROWS rows need."""
    replicas = ANSWERS / (replica.per_second * LOAD)
    yield Sum(
        "processors that answer", "answers/s × processor time of one",
        f"{ANSWERS:,} × {replica.processor:,.0f} µs", f"{ANSWERS * replica.processor / 1e6:,.0f}",
    )  # fmt: skip
    yield Sum(
        "replicas", "answers/s ÷ (one replica's × load)",
        f"{ANSWERS:,} ÷ ({replica.per_second:,.0f} × {LOAD:g})", f"{replicas:,.0f}",
    )  # fmt: skip
    yield Sum(
        "their memory", "replicas × one's",
        f"{replicas:,.0f} × {replica.memory:,.0f} MB", _size(replicas * replica.memory * 1e6),
    )  # fmt: skip
    yield Sum(
        "connections to PostgreSQL", "replicas × one's",
        f"{replicas:,.0f} × {CONNECTIONS}", f"{replicas * CONNECTIONS:,.0f}",
    )  # fmt: skip
    for way in ("insert", "copy", "key"):
        yield Sum(
            f"connections that always write: {ways[way].title}", "answers/s ÷ rows/s of one",
            f"{ANSWERS:,} ÷ {ways[way].per_second:,.0f}", f"{ANSWERS / ways[way].per_second:,.0f}",
        )  # fmt: skip
    for way in ("copy", "key", "archive"):
        yield _kept("a day", ANSWERS * DAY, ways[way])
    yield Sum(
        "processors that archive", "answers/s ÷ rows/s of one",
        f"{ANSWERS:,} ÷ {ways['archive'].per_second:,.0f}",
        f"{ANSWERS / ways['archive'].per_second:,.0f}",
    )  # fmt: skip
    yield Sum(
        "days until a trillion rows", "rows ÷ (answers/s × a day)",
        f"{ROWS:,} ÷ ({ANSWERS:,} × {DAY:,})", f"{ROWS / ANSWERS / DAY:,.1f}",
    )  # fmt: skip
    for way in ("copy", "archive"):
        yield _kept("a trillion rows", ROWS, ways[way])
    hours = ROWS / ways["read"].per_second / READERS / 3_600
    yield Sum(
        f"hours to count a column, {READERS} processors", "rows ÷ (rows/s of one × processors)",
        f"{ROWS:,} ÷ ({ways['read'].per_second:,.0f} × {READERS})", f"{hours:,.1f}",
    )  # fmt: skip


def _kept(what: str, rows: int, way: Way) -> Sum:
    size = way.bytes or 0
    return Sum(
        f"{what}: {way.title}",
        "rows × bytes of one",
        f"{rows:,} × {size:,.0f}",
        _size(rows * size),
    )


def _size(count: float) -> str:
    """Bytes in readable units."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 999.5:  # from here, 1 of the next unit
            return f"{count:.3g} {unit}"
        count /= 1_000
    return f"{count:,.1f} PB"
