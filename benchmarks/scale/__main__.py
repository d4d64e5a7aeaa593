"""``python -m benchmarks.scale``: measure what one row needs, and calculate from there.

The figures of one replica come from the table of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping

from benchmarks.document import write_tables
from benchmarks.models import ROOT
from benchmarks.report import TITLES
from benchmarks.scale.arithmetic import Replica, Sum, replica_of, sums
from benchmarks.scale.rows import ROWS, Way, measure_rows

MEASURED, PAGE = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "scale.md"
SIDES = {"off": 1, "sqlite": 1, "postgres": 1, "hundred": 100, "thousand": 1_000}  # rows of each


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="of the log that is measured")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scale.md")
    given = parser.parse_args()
    replicas = {side: replica_of(MEASURED, side) for side in SIDES}
    ways = measure_rows(given.rows)
    one = f"{_replicas(replicas)}\n{_rows(ways, given.rows)}"
    arithmetic = _sums(sums(replicas["postgres"], ways))
    print(one, arithmetic, sep="\n")
    if given.write:
        write_tables(PAGE, "one", one)
        write_tables(PAGE, "arithmetic", arithmetic)


def _replicas(replicas: Mapping[str, Replica]) -> str:
    title = (
        "| one replica of two workers | answers/s | answers per processor second "
        "| rows per processor second | memory MB |"
    )
    lines = [title, "|---|--:|--:|--:|--:|"]
    for side, replica in replicas.items():
        each = 1e6 / replica.processor
        lines.append(
            f"| {TITLES[side]} | {replica.per_second:,.0f} | {each:,.0f} "
            f"| {each * SIDES[side]:,.0f} | {replica.memory:,.0f} |"
        )
    return "\n".join(lines) + "\n"


def _rows(ways: Mapping[str, Way], rows: int) -> str:
    lines = [
        f"| one row, of a log of {rows:,} | bytes | rows/s of one connection or process |",
        "|---|--:|--:|",
    ]
    for way in ways.values():
        size = "" if way.bytes is None else f"{way.bytes:,.0f}"
        lines.append(f"| {way.title} | {size} | {way.per_second:,.0f} |")
    return "\n".join(lines) + "\n"


def _sums(all_sums: Iterable[Sum]) -> str:
    lines = ["| what | formula | figures | it comes to |", "|---|---|---|--:|"]
    lines += [f"| {s.what} | {s.formula} | {s.figures} | {s.result} |" for s in all_sums]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
