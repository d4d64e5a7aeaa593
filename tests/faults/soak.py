"""A soak: mixed load on two workers while things break at random. ``scripts/soak`` runs it.

Every request is answered or cleanly refused, every answered prediction is on record, memory stays
flat, and the slowest hundredth is known. What is *not clean* is an answer that breaks off, a status
that is not documented, or silence.
"""

import argparse
import http.client
import itertools
import json
import math
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests import bundles, wire
from tests.servers import Batcomputer, Postgres, batcomputer, manage, postgres

CLIENTS = 8
BATCH = [bundles.ITEM | {"hour": hour} for hour in range(10)]
CSV = "city,villain,hour\r\n" + "Gotham,Joker,3\r\n" * 20
MIX: list[tuple[int, str, str, str, object, set[int]]] = [
    # weight, method, path, content type, body, statuses that are right
    (70, "POST", "/api/predict", "application/json", bundles.ITEM, {200}),
    (10, "POST", "/api/predict", "application/json", BATCH, {200}),
    (3, "POST", "/api/predict", "text/csv", CSV, {200}),
    (7, "POST", "/api/predict", "application/json", {"city": "Gothom"}, {400}),
    (5, "GET", "/api/info", "", None, {200}),
    (3, "GET", "/", "", None, {200}),
    (2, "GET", "/api/nowhere", "", None, {404}),
]
UNAVAILABLE = {503}  # right while something is broken


@dataclass
class Tally:
    """The results of all clients."""

    statuses: Counter[int] = field(default_factory=Counter)
    answered: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    closed: int = 0  # connections that ended before an answer: a killed worker's


class Client(threading.Thread):
    """Asks again and again over one connection, as a program would."""

    def __init__(self, port: int, tally: Tally, end: threading.Event) -> None:
        super().__init__()
        self._port, self._tally, self._end = port, tally, end

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        weights = [each[0] for each in MIX]
        while not self._end.is_set():
            _, method, path, kind, body, right = random.choices(MIX, weights)[0]
            text = body if isinstance(body, str) else json.dumps(body)
            headers = {"Content-Type": kind} if kind else {}
            started = time.monotonic()
            try:
                connection.request(method, path, text if body is not None else None, headers)
                answer = connection.getresponse()
                content = answer.read()
            except TimeoutError:
                self._tally.wrong.append(f"{method} {path}: no answer within 30 s")
                connection.close()
                continue
            except (OSError, http.client.HTTPException):
                self._tally.closed += 1
                connection.close()
                time.sleep(0.05)
                continue
            self._note(answer, content, right, time.monotonic() - started)
        connection.close()

    def _note(
        self, answer: http.client.HTTPResponse, content: bytes, right: set[int], seconds: float
    ) -> None:
        tally = self._tally
        tally.statuses[answer.status] += 1
        tally.seconds.append(seconds)
        if answer.status not in right | UNAVAILABLE:
            tally.wrong.append(f"{answer.status}: {content[:300]!r}")
        if identity := answer.headers["X-Prediction-Id"]:
            tally.answered.append(identity)


def faults(server: Batcomputer, database: Postgres) -> dict[str, Callable[[], None]]:
    """The faults. Each restores the normal state at its end."""
    versions = itertools.cycle(["1.0.0", "2.0.0"])  # the highest, 2.0.0, answers at first

    def worker_killed() -> None:
        if workers := server.workers():
            os.kill(random.choice(workers), signal.SIGKILL)

    def database_restarted() -> None:
        database.stop("immediate")
        time.sleep(1)
        database.start()

    def version_swapped() -> None:
        manage(server.env, "activate_model", "arkham", next(versions))

    def slow_clients() -> None:
        raw = wire.request()
        held = [wire.connect(server.port) for _ in range(50)]
        for client in held:
            client.sendall(raw[: random.randrange(1, len(raw))])
        time.sleep(3)
        for client in held:
            client.close()

    def leaving_clients() -> None:
        for _ in range(50):
            with wire.connect(server.port) as client:
                client.sendall(wire.request())

    return {
        each.__name__: each
        for each in (
            worker_killed, database_restarted, version_swapped, slow_clients, leaving_clients
        )
    }  # fmt: skip


def memory(server: Batcomputer) -> float:
    """MB of all processes of the service, shared pages counted once (PSS)."""
    total = 0
    for pid in [server.process.pid, *server.workers()]:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):  # it was killed just now
            return float("nan")
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def slope(samples: list[tuple[float, float]]) -> float:
    """MB per minute, by least squares over the second half: the first is warming up."""
    late = [(at, mb) for at, mb in samples[len(samples) // 2 :] if not math.isnan(mb)]
    if len(late) < 3:
        return float("nan")
    return statistics.linear_regression(*zip(*late, strict=True)).slope * 60


def recorded(server: Batcomputer) -> set[str]:
    """Ids on record, once the spool is empty."""
    script = "from predictor.models import Prediction as P; [print(i) for i in P.objects.values_list('id', flat=True).iterator()]"  # noqa: E501
    return set(manage(server.env, "shell", "--no-imports", "-c", script).split())


def soak(seconds: float, seed: int) -> bool:
    """Run the soak and print its results; returns False if a response was not clean."""
    random.seed(seed)
    folder = Path(tempfile.mkdtemp(prefix="batcomputer-soak-"))
    bundles.install(folder / "models")
    bundles.install(folder / "models", version="2.0.0", estimator=bundles.fitted(seed=1))
    tally, end, done = Tally(), threading.Event(), Counter[str]()
    samples: list[tuple[float, float]] = []
    with (
        postgres() as database,
        batcomputer(folder, folder / "models", DATABASE_URL=database.url) as server,
    ):
        clients = [Client(server.port, tally, end) for _ in range(CLIENTS)]
        breaking = faults(server, database)
        started = time.monotonic()
        for client in clients:
            client.start()
        while (elapsed := time.monotonic() - started) < seconds:
            samples.append((elapsed, memory(server)))
            time.sleep(random.uniform(1, 4))
            if elapsed < seconds - 12:  # the last seconds are for coming to rest
                name, fault = random.choice(list(breaking.items()))
                fault()
                done[name] += 1
        end.set()
        for client in clients:
            client.join()
        missing = set(tally.answered)
        for _ in range(30):  # what went to the spool is on its way to the database
            missing -= recorded(server)
            if not missing:
                break
            time.sleep(1)
        ended_in_order = _stops_in_order(server)
    _report(tally, done, samples, len(missing), ended_in_order, seconds)
    return not tally.wrong and not missing and ended_in_order


def _stops_in_order(server: Batcomputer) -> bool:
    server.process.terminate()
    return server.process.wait(40) == 0


def _report(
    tally: Tally, done: Counter[str], samples: list[tuple[float, float]], missing: int,
    ended_in_order: bool, seconds: float,
) -> None:  # fmt: skip
    ordered = sorted(tally.seconds)
    p99 = ordered[int(len(ordered) * 0.99)] * 1000
    print(f"{seconds:.0f} s, {CLIENTS} clients, 2 workers, PostgreSQL")
    print(f"faults             {dict(done)}")
    print(f"answers            {dict(sorted(tally.statuses.items()))}")
    print(f"connections closed {tally.closed} before an answer (killed workers)")
    print(f"not clean          {len(tally.wrong)} {tally.wrong[:5]}")
    print(f"on record          {len(tally.answered) - missing} of {len(tally.answered)} answered")
    print(f"latency            median {statistics.median(ordered) * 1000:.1f} ms, p99 {p99:.0f} ms")
    print(f"memory             {samples[-1][1]:.0f} MB, {slope(samples):+.2f} MB a minute")
    print(f"ended in order     {ended_in_order}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    sys.exit(0 if soak(arguments.seconds, arguments.seed) else 1)
