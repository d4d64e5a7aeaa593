"""What a long log takes: the times of admin's pages, of exports and of predictions, as tables."""

from __future__ import annotations

from dataclasses import dataclass

PAGE_LIMIT = 300.0  # ms
MEMORY_LIMIT = 150.0  # MB of the worker that exports


@dataclass(frozen=True)
class Page:
    """The time of one page, in ms."""

    title: str
    first: float
    usual: float  # median of the other times


@dataclass(frozen=True)
class Export:
    """The whole log as a file."""

    kind: str
    seconds: float
    megabytes: float
    memory: float  # MB of the worker, at most


@dataclass(frozen=True)
class LogMeasurement:
    """One database with a long log."""

    database: str
    rows: int
    pages: list[Page]
    exports: list[Export]
    predict_empty: float  # ms, median
    predict_full: float

    def exceeded(self) -> list[str]:
        """The limits that are exceeded."""
        slow = [f"{self.database}: {p.title} took {p.usual:.0f} ms" for p in self.pages
                if p.usual > PAGE_LIMIT]  # fmt: skip
        large = [f"{self.database}: the {e.kind} export took {e.memory:.0f} MB"
                 for e in self.exports if e.memory > MEMORY_LIMIT]  # fmt: skip
        return slow + large


def as_markdown(measured: list[LogMeasurement]) -> str:
    """The measurements as tables: pages, exports, predictions."""
    names = [m.database for m in measured]
    lines = [
        f"A log of {measured[0].rows:,} rows; milliseconds of a page's first answer, and usually.",
        "",
        f"| page | {' | '.join(f'{name}, first | {name}' for name in names)} |",
        f"|---|{'--:|--:|' * len(names)}",
    ]
    for same in zip(*(m.pages for m in measured), strict=True):
        times = " | ".join(f"{page.first:.0f} | {page.usual:.0f}" for page in same)
        lines.append(f"| {same[0].title} | {times} |")
    lines += ["", "| export of all rows | database | s | MB | worker's memory at most, MB |",
              "|---|---|--:|--:|--:|"]  # fmt: skip
    lines += [
        f"| {e.kind} | {m.database} | {e.seconds:.0f} | {e.megabytes:.0f} | {e.memory:.0f} |"
        for m in measured
        for e in m.exports
    ]
    lines += ["", "| one prediction, ms | empty log | full log |", "|---|--:|--:|"]
    lines += [f"| {m.database} | {m.predict_empty:.2f} | {m.predict_full:.2f} |" for m in measured]
    return "\n".join(lines) + "\n"
