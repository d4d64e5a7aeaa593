"""``scripts/bench``: measure this server and others, and print the ratios."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

from tqdm import tqdm

from benchmarks import bulk, log, log_figures, report
from benchmarks.document import write_tables
from benchmarks.load import LoadError
from benchmarks.measuring import Measurement, measure
from benchmarks.models import ROOT
from benchmarks.sides import CONNECTIONS, SIDES, Side
from tests.servers import postgres
from training import benchmark as growth

DOCUMENT = ROOT / "docs" / "benchmarks.md"
QUICK = ("hello", "off", "sqlite")
ROWS = 500_000  # crimes that training counts; then two and four times as many


def main() -> int:
    """Run the measurements of the command line; the exit status is 1 when the quick guard fails."""
    options = _options()
    if options.log:
        return _measure_log(options.log)
    sides = [side for side in SIDES if side.name in options.sides]
    try:
        rounds = _measure(_installed(sides), options.rounds, options.seconds, options.connections)
    except LoadError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    tables = report.as_markdown(rounds)
    if options.everything:
        single = rounds["sqlite"][0].loads[CONNECTIONS[-1]].per_second
        tables += "\n" + bulk.as_markdown(bulk.measure_bulk(), single)
        tables += "\n" + growth.as_markdown(growth.measure(ROWS))
    print(tables)
    if options.json:
        options.json.write_text(json.dumps(report.as_json(rounds), indent=2) + "\n")
    if options.write:
        write_tables(DOCUMENT, "measured", tables)
    if not options.quick:
        return 0
    sentences = report.worsened(rounds, report.known_ratios(DOCUMENT))
    for sentence in sentences:
        print(f"slower: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


def _measure_log(rows: int) -> int:
    """Print the cost of a long log on both databases; returns 1 when a limit is exceeded."""
    measured = [log.measure_log(database, rows) for database in ("sqlite", "postgres")]
    print(log_figures.as_markdown(measured))
    exceeded = [sentence for one in measured for sentence in one.exceeded()]
    for sentence in exceeded:
        print(f"over the limit: {sentence}", file=sys.stderr)
    return 1 if exceeded else 0


def _options() -> argparse.Namespace:
    names = [side.name for side in SIDES]
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--sides", nargs="+", choices=names, default=names, metavar="SIDE",
                        help=f"any of {', '.join(names)} (default: all)")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3, help="times each side is measured")
    parser.add_argument("--seconds", type=float, default=5, help="length of one load")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    parser.add_argument("--write", action="store_true", help="put the tables into the document")
    parser.add_argument("--log", type=int, nargs="?", const=log.ROWS, metavar="ROWS",
                        help=f"measure admin over a log of {log.ROWS:,} rows instead; fails where "
                        "a page or an export exceeds its limit")  # fmt: skip
    parser.add_argument("--quick", action="store_true",
                        help="fail where a ratio is a fifth worse than documented")  # fmt: skip
    options = parser.parse_args()
    options.everything = options.sides == names and not options.quick
    options.connections = ()  # as many as each side names
    if options.quick:
        options.sides, options.rounds, options.seconds = QUICK, 2, 3
        options.connections = CONNECTIONS[-1:]
    return options


def _installed(sides: list[Side]) -> list[Side]:
    """The sides that can be measured here; prints why the others cannot."""
    able = []
    for side in tqdm(sides, "installing", leave=False):
        try:
            side.install()
        except subprocess.CalledProcessError as error:
            tqdm.write(f"{side.name} is left out: {error.stderr.strip().splitlines()[-1]}")
        else:
            able.append(side)
    return able


def _measure(
    sides: list[Side], rounds: int, seconds: float, connections: tuple[int, ...]
) -> dict[str, list[Measurement]]:
    """Measure every side once per round, so that a slow minute of the machine affects them all."""
    measured: dict[str, list[Measurement]] = {side.name: [] for side in sides}
    turns = [side for _ in range(rounds) for side in sides]
    with tqdm(turns, "measuring", unit="run") as progress:
        for side in progress:
            progress.set_postfix_str(side.name)
            needs_postgres = side.database == "postgres"
            with postgres() if needs_postgres else nullcontext() as server:
                url = server.url if server else ""
                measured[side.name].append(measure(side, seconds, connections, url))
    return measured


if __name__ == "__main__":
    sys.exit(main())
