"""Workers are small, without numpy, and replaced while the others answer."""

import http.client
import json
import os
import signal
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from benchmarks.models import weather
from benchmarks.processes import family, memory_of
from tests import bundles, every_route
from tests.deadlines import eventually
from tests.servers import batcomputer, manage

pytestmark = pytest.mark.slow

HEAVY = {"numpy", "scipy", "sklearn", "pandas", "joblib"}
MODELS = every_route.MODELS
WORKERS = 4
LONGEST = 0.3  # seconds that anyone waits on a quiet machine


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Three models with a table, and the benchmark's forest of 56 MB without one."""
    folder = tmp_path_factory.mktemp("workers")
    models = folder / "models"
    for name, version in (("arkham", "1.0.0"), ("arkham", "2.0.0"), ("city", "1"), ("dam", "1")):
        bundles.install(models, name, version)
    (models / "weather").symlink_to(weather().folder.parent)
    settings = {
        "WEB_CONCURRENCY": str(WORKERS),
        "MODEL_VERSION": "arkham=1.0.0",
        "UPKEEP": "false",  # a process that comes and goes is not to be measured
    }
    application = "tests.every_route:application"
    with batcomputer(folder, models, application, **settings) as running:
        eventually(lambda: answers(running, "weather"), seconds=180)  # it is examined first
        yield running


def answers(server, model):
    url = f"{server.url}/api/models/{model}/predict"
    asking = urllib.request.Request(
        url, json.dumps(MODELS[model]).encode(), {"Content-Type": "application/json"}
    )
    with suppress(HTTPError), urllib.request.urlopen(asking, timeout=30) as response:
        return response.status == 200


class Asking(threading.Thread):
    """Asks one model again and again; where a worker is killed, once more."""

    def __init__(self, server, model):
        super().__init__()
        self.port, self.path = server.port, f"/api/models/{model}/predict"
        self.body = json.dumps(MODELS[model])
        self.ends = False
        self.longest, self.wrong = 0.0, []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.ends:
            began = time.monotonic()
            try:
                self.ask(connection)
            except (OSError, http.client.HTTPException):
                connection.close()
                self.ask(connection)
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.002)
        connection.close()

    def ask(self, connection):
        connection.request("POST", self.path, self.body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            self.wrong.append((answer.status, content))


@contextmanager
def asked(server):
    """Clients of a model with a table and of one without, on every worker."""
    clients = [Asking(server, model) for model in MODELS for _ in range(3)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.ends = True
        for client in clients:
            client.join()
    assert [client.wrong for client in clients] == [[]] * len(clients)


def longest(clients):
    """By model, since the last call."""
    waits = {}
    for client in clients:
        waits[client.path] = max(waits.get(client.path, 0), client.longest)
        client.longest = 0.0
    return [round(wait, 3) for wait in waits.values()]


def test_four_workers_are_small(server):
    with asked(server):
        time.sleep(3)
    everything = memory_of(server.process.pid)
    pids = [server.process.pid, *server.workers()]
    assert len(pids) == 1 + WORKERS
    assert len(family(server.process.pid)) >= len(pids) + 3, "supervisor, template, scorer"
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    own = sum(int(text.split("Pss:")[1].split()[0]) for text in rollups) / 1024
    print(f"\nfour workers {own:.0f} MB, with the processes of a 56 MB forest {everything:.0f} MB")
    assert own <= 200
    # 350 on a quiet machine; less where its other processes share libraries
    assert everything <= 380


def test_no_worker_imports_numpy_whatever_it_is_asked(server):
    user = {f"DJANGO_SUPERUSER_{key}": "bruce@wayne.example" for key in ("USERNAME", "EMAIL")}
    user["DJANGO_SUPERUSER_PASSWORD"] = "alfred"
    manage(server.env | user, "createsuperuser", "--no-input")
    with urllib.request.urlopen(server.url + every_route.ADDRESS, timeout=300) as response:
        found = json.load(response)
    answers = found["answers"]
    wanted = {"/admin/", "/admin/predictor/activation/arkham/2.0.0/compare/", "/arkham/map.csv",
              "/admin/predictor/prediction/export/xlsx/", "POST /api/models/weather/predict",
              "POST /v2/models/arkham/infer", "POST /v2/models/weather/infer",
              "POST /api/models/arkham/predict", "/swagger.json", "/weather/", "/arkham/",
              f"/api/models/arkham/compare?vary=city&{urlencode(MODELS['arkham'])}"}  # fmt: skip
    assert {address: answers.get(address) for address in wanted} == dict.fromkeys(wanted, 200)
    assert not {address: status for address, status in answers.items() if status >= 500}
    assert not {name.partition(".")[0] for name in found["modules"]} & HEAVY
    for pid in (server.process.pid, *server.workers()):
        loaded = Path(f"/proc/{pid}/maps").read_text()
        assert not [name for name in HEAVY if f"/{name}/" in loaded]


def test_a_reload_and_a_killed_worker_keep_nobody_waiting(server):
    waits = {}
    with asked(server) as clients:
        time.sleep(2)
        waits["before"] = longest(clients)
        for turn in ("reload", "another reload"):
            old = set(server.workers())
            os.kill(server.process.pid, signal.SIGHUP)
            eventually(lambda old=old: not old & set(server.workers()), seconds=60)
            time.sleep(0.5)
            waits[turn] = longest(clients)
        for turn in ("kill", "another kill"):
            os.kill(server.workers()[0], signal.SIGKILL)
            time.sleep(1.5)
            waits[turn] = longest(clients)
    print("\nlongest waits in seconds, with a table and without:", waits)
    assert max(map(max, waits.values())) < LONGEST or os.getloadavg()[0] > 2
