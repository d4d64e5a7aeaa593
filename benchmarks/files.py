"""``python -m benchmarks.files``: a file of millions of rows, scored next to a running server.

The command is killed and run again, with pauses between turns. Single requests come at a constant
rate, so that those during a turn can be compared with those just before it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load import LoadError
from benchmarks.models import ROOT
from tests import bundles
from tests.servers import Batcomputer, batcomputer

ROWS = 2_000_000
KILLS = 2
_ITEM = json.dumps(bundles.ITEM).encode()


@dataclass
class Requests:
    """Single requests at a constant rate over one connection, and the time of each in seconds."""

    port: int
    pause: float = 0.1  # seconds from the start of one to the start of the next
    beside: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    into: list[float] | None = None  # the list that gets the times now

    def run(self, ended: threading.Event) -> None:
        """Send requests until ``ended``; a late request counts from the time it was due."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        due = time.perf_counter()
        while not ended.is_set():
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.request("POST", "/api/predict", _ITEM, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            if self.into is not None and answer.status == 200:
                self.into.append(time.perf_counter() - due)
            due = max(due + self.pause, time.perf_counter())


@dataclass
class Scoring:
    """The file, its answers, and the command that scores it."""

    server: Batcomputer
    folder: Path
    rows: int
    memory: list[tuple[int, float]] = field(default_factory=list)  # (rows done, MB)
    seconds: float = 0.0  # of work
    kills: int = 0

    @property
    def answers(self) -> Path:
        return self.folder / "out.csv"

    def done(self) -> int:
        """The number of rows that are done."""
        if self.answers.exists():
            return self.rows
        try:
            noted: int = json.loads(Path(f"{self.answers}.journal").read_text())["rows"]
        except FileNotFoundError:
            return 0
        return noted

    def prepare(self) -> None:
        """Write the file."""
        villains = list(bundles.LOOKUP["villain"])
        with (self.folder / "in.csv").open("w", encoding="utf-8") as file:
            file.write("order,city,villain,hour\n")
            file.writelines(
                f"A-{n},{bundles.CITIES[n % 3]},{villains[n % 4]},{n % 24}\n"
                for n in range(self.rows)
            )

    def work(self, seconds: float, requests: Requests) -> None:
        """Run the command for ``seconds``, or to its end, and kill it."""
        before = self.done()
        command = [
            sys.executable, "manage.py", "score_file", "arkham", str(self.folder / "in.csv"),
            str(self.answers), "--reference", "order",
        ]  # fmt: skip
        with (self.folder / "command.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.server.env, stdout=log, stderr=log
            )
        while process.poll() is None and self.done() == before:
            time.sleep(0.05)  # the command is loading the model and its journal
        began, requests.into = time.monotonic(), requests.beside
        while process.poll() is None and time.monotonic() < began + seconds:
            time.sleep(1)
            self.memory.append((self.done(), _memory(process.pid)))
        requests.into = None
        self.seconds += time.monotonic() - began
        if process.poll() is None:
            process.kill()
            self.kills += 1
        process.wait()
        if not self.kills and not self.answers.exists():
            raise LoadError((self.folder / "command.log").read_text()[-2000:])


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.files", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seconds", type=float, default=60, help="of each turn, the last but one")
    given = parser.parse_args()
    for line in measure(given.rows, given.seconds):
        print(line, flush=True)


def measure(rows: int, seconds: float) -> Iterator[str]:
    """Sentences, one after the other. Raises LoadError for a missing or duplicate row."""
    with tempfile.TemporaryDirectory(prefix="bench-files-") as name:
        folder = Path(name)
        bundles.install(folder / "models")
        with batcomputer(folder, folder / "models") as server:
            scoring, requests = Scoring(server, folder, rows), Requests(server.port)
            scoring.prepare()
            ended = threading.Event()
            asking = threading.Thread(target=requests.run, args=(ended,))
            asking.start()
            try:
                while not scoring.answers.exists():
                    requests.into = requests.alone
                    time.sleep(seconds / 2)
                    requests.into = None
                    endless = scoring.kills >= KILLS
                    scoring.work(float("inf") if endless else seconds, requests)
                    yield f"{scoring.done():,} rows, {scoring.kills} kills, load {os.getloadavg()}"
                requests.into = requests.alone
                time.sleep(seconds / 2)
            finally:
                ended.set()
                asking.join()
        yield from _found(scoring, requests)


def _found(scoring: Scoring, requests: Requests) -> Iterator[str]:
    with sqlite3.connect(scoring.folder / "batcomputer.sqlite3") as database:
        ids = {
            key for (key,) in database.execute(
                "SELECT id FROM predictor_prediction WHERE source = 'csv'")
        }  # fmt: skip
        (logged,) = database.execute(
            "SELECT COUNT(*) FROM predictor_prediction WHERE source = 'csv'"
        ).fetchone()
    with scoring.answers.open(encoding="utf-8") as file:
        next(file)
        answered = [line.rstrip().rpartition(",")[2].replace("-", "") for line in file]
    if not logged == len(ids) == len(answered) == scoring.rows or ids != set(answered):
        raise LoadError(f"{logged:,} rows on record, {len(answered):,} answered")
    yield f"{logged:,} rows on record, {len(ids):,} ids, the same as in the file of answers"
    yield f"{scoring.rows / scoring.seconds:,.0f} rows/s, killed {scoring.kills} times"
    places = [int(len(scoring.memory) * share) for share in (0, 0.25, 0.5, 0.75)]
    shown = [scoring.memory[place] for place in places] + scoring.memory[-2:-1]
    yield "MB by rows: " + ", ".join(f"{rows:,}: {size:.0f}" for rows, size in shown)
    for title, taken in (("beside it", requests.beside), ("without it", requests.alone)):
        ordered = sorted(taken)
        p50, p99 = (ordered[int(len(ordered) * share)] * 1e3 for share in (0.5, 0.99))
        yield f"{title}: {len(ordered):,} requests, p50 {p50:.2f} ms, p99 {p99:.2f} ms"


def _memory(pid: int) -> float:
    """MB of a process; 0 of one that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


if __name__ == "__main__":
    main()
