"""A large CSV file: how fast its rows are answered, and how much memory that takes."""

from __future__ import annotations

import csv
import http.client
import io
import threading
import time
from dataclasses import dataclass

from benchmarks.load import LoadError
from benchmarks.measuring import running
from benchmarks.processes import memory_of
from benchmarks.sides.batcomputer import Batcomputer

ROWS = 100_000


@dataclass(frozen=True)
class Bulk:
    """The measurement of one file."""

    rows: int
    seconds: float
    first_byte: float  # seconds until the response began
    growth: float  # MB of memory that the service took in addition, at most


def measure_bulk(rows: int = ROWS) -> Bulk:
    """Send a file of ``rows`` rows to a server that logs every one of them."""
    side = Batcomputer("csv", "CSV, log required")
    with running(side) as (place, process, _):
        items = place.subject.items
        body = _csv([items[n % len(items)] for n in range(rows)])
        before = memory_of(process.pid)
        peak = [before]
        done = threading.Event()
        watching = threading.Thread(target=_watch, args=(process.pid, peak, done))
        watching.start()
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=120)
        connection.request("POST", side.path, body, {"Content-Type": "text/csv"})
        answer = connection.getresponse()
        first_byte = time.perf_counter() - began
        lines = sum(piece.count(b"\n") for piece in iter(lambda: answer.read(2**16), b""))
        seconds = time.perf_counter() - began
        done.set()
        watching.join()
        logged = side.logged(place) or 0
        if answer.status != 200 or lines != rows + 1 or logged < rows:
            raise LoadError(f"CSV: {answer.status}, {lines:,} lines back, {logged:,} rows logged")
        return Bulk(rows, seconds, first_byte, peak[0] - before)


def as_markdown(bulk: Bulk, single: float) -> str:
    """One sentence; ``single`` is the same run's answers/s to single requests, also logged."""
    per_second = bulk.rows / bulk.seconds
    return (
        f"A CSV file of {bulk.rows:,} rows, every one logged: {per_second:,.0f} rows/s, "
        f"{per_second / single:.1f} times the answers/s to single requests (aim: 8), "
        f"first bytes after {bulk.first_byte:.1f} s, {bulk.growth:.0f} MB more memory at most.\n"
    )


def _csv(items: list[dict[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, items[0].keys())
    writer.writeheader()
    writer.writerows(items)
    return text.getvalue().encode()


def _watch(pid: int, peak: list[float], done: threading.Event) -> None:
    while not done.wait(0.05):
        peak[0] = max(peak[0], memory_of(pid))
