"""``python -m benchmarks.queueing``: the p99 that a simulation predicts, and the one measured.

The server commits every answer to SQLite. What a request needs of a worker, and a commit of the
lock, is measured first; then requests come at random at 0.5, 0.8 and 0.95 of what it can do.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median

from benchmarks.document import write_tables
from benchmarks.filling import in_shell
from benchmarks.load import LoadError, as_requests
from benchmarks.measuring import running, write_bodies
from benchmarks.models import ROOT
from benchmarks.processes import family
from benchmarks.queueing.arrivals import Arrivals, at_random, precise_loop
from benchmarks.queueing.simulation import Service, quantile, simulate
from benchmarks.sides.batcomputer import Batcomputer
from benchmarks.sides.side import Place

PAGE = ROOT / "docs" / "scale.md"
LOADS = (0.5, 0.8, 0.95)  # of what the server can do
CONNECTIONS = 128
RUNS = 11  # of the simulation, each as long as the measurement
_BATCHES = "batcomputer_log_batch_rows"  # a metric


@dataclass(frozen=True)
class Waits:
    """How long requests took at one load, in seconds."""

    load: float  # of what the server can do
    per_second: float
    predicted: Sequence[Sequence[float]]  # one list for each run of the simulation
    measured: Sequence[float]


@dataclass(frozen=True)
class Queueing:
    """One run: what was put into the simulation, and what came out."""

    alone: float  # seconds, the median of one request at a time
    service: Service
    waits: Sequence[Waits]


def main() -> int:
    """Print the table; 1 when an answer was missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queueing", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="length of each load")
    parser.add_argument("--write", action="store_true", help="put the table into docs/scale.md")
    given = parser.parse_args()
    try:
        tables = as_markdown(measure(given.seconds))
    except LoadError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(tables)
    if given.write:
        write_tables(PAGE, "queueing", tables)
    return 0


def measure(seconds: float) -> Queueing:
    """Measure a server, simulate it, and put it under a load at random. Raises LoadError."""
    side = Batcomputer("sqlite", "log required, SQLite")
    with running(side) as (place, process, _), precise_loop() as loop:
        commits = _commits(side, place)
        with closing(Arrivals(_requests(side, place))) as arrivals:
            before = _sockets(process)
            loop.run(arrivals.open(place.port, CONNECTIONS))
            taken = [count - before.get(pid, 0) for pid, count in _sockets(process).items()]
            loop.run(arrivals.again(CONNECTIONS, seconds / 4))  # to warm up
            rows, transactions = _committed(place)
            many = len(loop.run(arrivals.again(CONNECTIONS, seconds / 2))) / (seconds / 2)
            together = (_committed(place)[0] - rows) / (_committed(place)[1] - transactions)
            alone = median(loop.run(arrivals.again(1, seconds / 4)))
            shares = [count for count in taken if count > 1]
            service = _service(len(shares) / many, together, alone, commits, shares)
            waits = [_wait(service, load, seconds, arrivals, loop) for load in LOADS]
    return Queueing(alone, service, waits)


def _commits(side: Batcomputer, place: Place) -> dict[int, float]:
    taken = in_shell(side.base_environment(place), "benchmarks.queueing.commits")
    return {int(rows): seconds for rows, seconds in taken.items()}


def _committed(place: Place) -> tuple[float, float]:
    """How many rows and how many transactions the log has written."""
    with urllib.request.urlopen(f"http://127.0.0.1:{place.port}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if line.startswith(_BATCHES))
    return float(values[f"{_BATCHES}_sum"]), float(values[f"{_BATCHES}_count"])


def _service(
    busy: float, together: float, alone: float, commits: Mapping[int, float], shares: Sequence[int]
) -> Service:
    """From a worker's seconds for a request while it is ``busy``, where many share a commit.

    A request that is ``alone`` has a commit for itself: that gives what a commit costs the worker.
    A transaction's time is a line by least squares of ``commits``.
    """
    row, transaction = (
        max(part, 0) for part in linear_regression(list(commits), list(commits.values()))
    )
    commit = max(alone - transaction - row - busy, 0) / (1 - 1 / together) if together > 1 else 0
    return Service(busy - commit / together, transaction, row, commit, together, shares)


def _wait(
    service: Service, load: float, seconds: float, arrivals: Arrivals, loop: asyncio.Runner
) -> Waits:
    per_second = load * service.capacity
    requests = int(per_second * seconds)
    chances = [random.Random(seed) for seed in range(RUNS + 1)]  # noqa: S311 - the same every time
    measured = loop.run(arrivals.at(at_random(per_second, requests, chances.pop())))
    predicted = [simulate(service, per_second, requests, chance) for chance in chances]
    return Waits(load, per_second, predicted, measured)


def as_markdown(found: Queueing) -> str:
    """What was measured first, then the table."""
    service = found.service
    parameters = (
        f"Capacity is {service.capacity:,.0f} requests/s: a worker needs "
        f"{service.answering * 1e3:.2f} ms for each and {service.commit * 1e3:.2f} ms for each of "
        f"its commits, which {service.together:.1f} share at capacity; the busiest of "
        f"{len(service.shares)} has {service.most:.0%} of the connections. A transaction takes "
        f"{service.transaction * 1e3:.2f} ms, and {service.row * 1e6:.0f} µs more for each of its "
        f"rows. One request at a time takes {found.alone * 1e3:.2f} ms."
    )
    title = (
        "| load | requests/s | p50 ms, predicted | p50 ms, measured | p99 ms, predicted "
        f"| p99 ms, lowest and highest of {RUNS} simulations | p99 ms, measured |"
    )
    rows = [_row(one) for one in found.waits]
    return "\n".join([parameters, "", title, "|--:|--:|--:|--:|--:|--:|--:|", *rows]) + "\n"


def _row(one: Waits) -> str:
    p50 = median(quantile(simulated, 0.5) for simulated in one.predicted)
    p99 = sorted(quantile(simulated, 0.99) for simulated in one.predicted)
    measured = [quantile(one.measured, share) for share in (0.5, 0.99)]
    figures = [p50, measured[0], median(p99), p99[0], p99[-1], measured[1]]
    cells = [f"{seconds * 1e3:.1f}" for seconds in figures]
    cells[3:5] = [f"{cells[3]}, {cells[4]}"]
    return f"| {one.load:g} | {one.per_second:,.0f} | {' | '.join(cells)} |"


def _requests(side: Batcomputer, place: Place) -> list[bytes]:
    return list(
        as_requests(
            f"127.0.0.1:{place.port}", side.path, write_bodies(side, place), side.content_type
        )
    )


def _sockets(process: subprocess.Popen) -> dict[int, int]:
    """How many sockets each of the server's processes has."""
    counts = {}
    for pid in family(process.pid):
        files = Path(f"/proc/{pid}/fd").iterdir()
        counts[pid] = sum(str(file.readlink()).startswith("socket:") for file in files)
    return counts


if __name__ == "__main__":
    sys.exit(main())
