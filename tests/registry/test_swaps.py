"""Versions change while four workers answer: nothing fails, nothing mixes, nothing leaks."""

import http.client
import json
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from predictor.artifacts.version import load_version
from tests import bundles
from tests.lengths import length
from tests.servers import ROOT, batcomputer, manage, server_env

pytestmark = pytest.mark.slow

OLD, NEW = "1.0.0", "1.1.0"
WORKERS, CLIENTS = 4, 6
SWAPS, REQUESTS = length(8, 20), length(6_000, 20_000)
FOLLOWED = 2.0  # seconds until every worker must have followed, on a machine that has time

# An input line requests a swap; an output line reports that it is on record.
SWITCH = f"""
from predictor.serving.activation import activate, roll_back
for line in iter(input, "end"):
    activate("arkham", "{NEW}", "test") if line == "{NEW}" else roll_back("arkham", "test")
    print(line, flush=True)
"""


class Client(threading.Thread):
    """Asks over one connection, and so one worker, until it is stopped."""

    def __init__(self, port: int, stop: threading.Event) -> None:
        super().__init__()
        self.answers: list[tuple[float, float, str, float]] = []  # asked, answered, version, score
        self.failures: list[str] = []
        self._port, self._stop_asking = port, stop

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        body, headers = json.dumps(bundles.ITEM), {"Content-Type": "application/json"}
        while not self._stop_asking.is_set():
            asked = time.time()
            try:
                connection.request("POST", "/api/predict", body, headers)
                answer = connection.getresponse()
                scores = json.loads(answer.read())
                version, score = answer.headers["X-Model-Version"], scores["escapes"]
            except (http.client.HTTPException, OSError, ValueError, KeyError) as error:
                self.failures.append(repr(error))
            else:
                self.answers.append((asked, time.time(), version, score))
        connection.close()


def workers_memory(master: int) -> float:
    """MB of the workers, shared pages counted once."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in children]
    lines = [line for text in rollups for line in text.splitlines() if line.startswith("Pss:")]
    return sum(int(line.split()[1]) for line in lines) / 1024


def wait_for_workers(log, line, times):
    """Wait until ``line`` is ``times`` times in the log; the time it did."""
    deadline = time.monotonic() + 30
    while log.read_text().count(line) < times:
        assert time.monotonic() < deadline, f"not all workers logged {line!r}"
        time.sleep(0.02)
    return time.time()


def wake_workers(server):
    """Ask over new connections until every worker has loaded the model."""
    deadline = time.monotonic() + 60
    while server.log.read_text().count(f"arkham {OLD} answers") < WORKERS:
        assert time.monotonic() < deadline, "not all workers answered"
        with urllib.request.urlopen(f"{server.url}/api/info", timeout=20) as answer:
            answer.read()


@pytest.fixture
def models(tmp_path):
    """Two versions whose long lists of labels weigh enough that one left behind shows."""
    wide = {
        name: {**labels, **{f"{name} {n}": n for n in range(2_000)}} if labels else 0
        for name, labels in bundles.LOOKUP.items()
    }
    for seed, version in enumerate((OLD, NEW)):
        bundles.install(
            tmp_path / "models", version=version, lookup=wide, estimator=bundles.fitted(seed)
        )
    return tmp_path / "models"


def escape_score(folder):
    model = load_version(folder)
    return model.score([model.encoder.encode(bundles.ITEM)])[0][0]


def test_it_works(tmp_path, models):
    scores = {version: escape_score(models / "arkham" / version) for version in (OLD, NEW)}
    assert scores[OLD] != pytest.approx(scores[NEW])
    swaps, delays, memory, stop = [], [], [], threading.Event()
    # examined once, and not by four workers at the same time
    manage(
        server_env(tmp_path, models), "verify_model", *(str(models / "arkham" / v) for v in scores)
    )
    with batcomputer(tmp_path, models, WEB_CONCURRENCY=str(WORKERS)) as server:
        manage(server.env, "activate_model", "arkham", OLD)
        switch = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", SWITCH],
            cwd=ROOT, env=server.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        wake_workers(server)
        clients = [Client(server.port, stop) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            for number in range(SWAPS):
                while sum(len(client.answers) for client in clients) < number * REQUESTS / SWAPS:
                    time.sleep(0.05)  # so that swaps come all through the load
                version = OLD if number % 2 else NEW
                line = f"arkham {version} answers"
                before, decided = server.log.read_text().count(line), time.time()
                switch.stdin.write(f"{version}\n")
                switch.stdin.flush()
                assert switch.stdout.readline() == f"{version}\n"
                recorded = time.time()
                followed = wait_for_workers(server.log, line, before + WORKERS)
                swaps.append((decided, followed, version))
                delays.append(followed - recorded)
                memory.append(workers_memory(server.process.pid))
            while sum(len(client.answers) for client in clients) < REQUESTS:
                time.sleep(0.1)
        finally:
            stop.set()
            for client in clients:
                client.join()
            switch.communicate("end\n")
    answers = sorted(answer for client in clients for answer in client.answers)
    assert [failure for client in clients for failure in client.failures] == []
    for asked, answered, version, score in answers:
        assert score == pytest.approx(scores[version])
        assert version in possible(asked, answered, swaps)
    print(
        f"{len(answers):,} answers, {len(swaps)} swaps, all followed in {max(delays):.2f} s; "
        f"memory {memory[0]:.0f} MB after the first and {memory[-1]:.0f} MB after the last"
    )
    # where others want the processors too, a swap may be late by as much as any answer is
    assert max(delays) < FOLLOWED + max(answered - asked for asked, answered, *_ in answers)
    assert memory[-1] < 1.1 * memory[0]


def possible(asked, answered, swaps):
    """The versions that could answer then."""
    last = max((n for n, (_, followed, _) in enumerate(swaps) if followed <= asked), default=-1)
    before = swaps[last][2] if last >= 0 else OLD
    return {before} | {version for decided, _, version in swaps[last + 1 :] if decided <= answered}
