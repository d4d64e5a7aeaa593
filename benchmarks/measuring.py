"""Starts a side, checks its answers against the estimator's, and measures it."""

from __future__ import annotations

import http.client
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks import models
from benchmarks.load import Load, LoadError, drive
from benchmarks.models import Item, Subject
from benchmarks.processes import end_group, memory_of, processor_seconds
from benchmarks.sides import Place, Side
from benchmarks.sides.batcomputer import Batcomputer
from tests.servers import free_port, stop

CHECKED = 20  # requests whose answers are checked before the load, and again after it
BODIES = 1_000  # different requests in a load, fewer when they hold many rows


@dataclass(frozen=True)
class Measurement:
    """One side in one round."""

    cold_start: float  # seconds from the command to the first right answer
    memory: float  # MB, after the load: proportional set size of all its processes
    loads: dict[int, Load]  # by number of connections
    processor: dict[int, float]  # µs of processor time per request, likewise


@cache
def subject(model: str) -> Subject:
    """The model of that name, created or loaded once."""
    return {"crime": models.crime, "weather": models.weather}[model]()


def measure(
    side: Side, seconds: float, connections: tuple[int, ...] = (), database: str = ""
) -> Measurement:
    """Start ``side`` and put it under loads of its own ``connections``, or of these.

    Raises LoadError when an answer is missing, wrong, or not on record.
    """
    with running(side, database) as (place, process, cold_start):
        bodies = write_bodies(side, place)
        asked = CHECKED if side.answers_scores else 0
        loads, processor = {}, {}
        for count in connections or side.connections:
            warm = _drive(side, place, bodies, count, min(1.0, seconds / 2))
            before = processor_seconds(process.pid)
            loads[count] = _drive(side, place, bodies, count, seconds)
            spent = processor_seconds(process.pid) - before
            if not loads[count].requests:
                raise LoadError(f"{side.name} answered nothing in {seconds:g} s")
            processor[count] = spent / loads[count].requests * 1e6
            asked += warm.requests + loads[count].requests
        memory = memory_of(process.pid)
        check_answers(side, place)
        _check_log(side, place, asked * side.rows)
        return Measurement(cold_start, memory, loads, processor)


@contextmanager
def running(side: Side, database: str = "") -> Iterator[tuple[Place, subprocess.Popen, float]]:
    """``side``, started and with right answers; the float is its cold start in seconds."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        database = database or f"sqlite:///{folder / 'log.sqlite3'}"
        place = Place(folder, free_port(), subject(side.model), database)
        side.prepare(place)
        began = time.perf_counter()
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(
                side.command(place), env=side.base_environment(place), cwd=folder,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        try:
            cold_start = _first_answer(side, place, process) - began
            time.sleep(1)  # the other worker may still be starting
            check_answers(side, place)
            yield place, process, cold_start
        finally:
            stop(process)
            end_group(process.pid)


def _first_answer(side: Side, place: Place, process: subprocess.Popen) -> float:
    deadline = time.perf_counter() + 120
    body = side.ask(place.subject, place.subject.items[: side.rows])
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            break
        try:
            if post(place.port, side.path, body, side.content_type)[0] == 200:
                return time.perf_counter()
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.02)
    output = (place.folder / "output").read_text(errors="replace")[-3000:]
    raise LoadError(f"{side.name} did not answer within 120 s; its output ends with:\n{output}")


def post(port: int, path: str, body: bytes, content_type: str) -> tuple[int, bytes]:
    """Status and body of one response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": content_type})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def check_answers(side: Side, place: Place) -> None:
    """Compare answers with the estimator's own. Raises LoadError at the first that differs."""
    if not side.answers_scores:
        return
    for items in _questions(side, place.subject)[:CHECKED]:
        body = side.ask(place.subject, items)
        status, answer = post(place.port, side.path, body, side.content_type)
        if status != 200:
            raise LoadError(f"{side.name} answered {status}: {answer[:300]!r}")
        right = place.subject.scores(items)
        given = side.understand(place.subject, answer)
        if given != right:
            raise LoadError(f"{side.name} answered {given[:2]}, the estimator says {right[:2]}")


def _questions(side: Side, subject: Subject) -> list[list[Item]]:
    items = subject.items
    count = min(BODIES if side.rows == 1 else 20, 20_000 // side.rows)
    if side.model == "weather":
        count = len(items)  # no row repeats before all were used
    return [
        [items[(start * side.rows + i) % len(items)] for i in range(side.rows)]
        for start in range(count)
    ]


def write_bodies(side: Side, place: Place) -> Path:
    """A file of the bodies for ``side``, one per line."""
    bodies = place.folder / "bodies"
    lines = [side.ask(place.subject, items) for items in _questions(side, place.subject)]
    bodies.write_bytes(b"\n".join(lines))
    return bodies


def _drive(side: Side, place: Place, bodies: Path, connections: int, seconds: float) -> Load:
    url = f"http://127.0.0.1:{place.port}{side.path}"
    return drive(url, bodies, connections, seconds, side.content_type)


def _check_log(side: Side, place: Place, answered: int) -> None:
    """Check that every counted answer is on record (others, for which wrk did not wait, may be)."""
    if not isinstance(side, Batcomputer):
        return
    logged = side.logged(place)
    if logged is not None and logged < answered:
        raise LoadError(f"{side.name} answered {answered} rows and has {logged} on record")
