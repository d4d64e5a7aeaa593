"""A trial on a real service: workers agree, kills change nothing, a worse version goes back."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request

import pytest

from tests import bundles
from tests.deadlines import eventually
from tests.servers import ROOT, batcomputer, manage
from tests.trials.test_shadow import items, swapped

pytestmark = pytest.mark.slow

CASES = [f"case {number}" for number in range(12)]


def sent(url, body, **headers):
    headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(answer.headers), json.loads(answer.read())


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """Arkham 1.0.0 answers; 1.1.0 is the contrary of it."""
    folder = tmp_path_factory.mktemp("trial")
    bundles.install(folder / "models", version="1.0.0")
    bundles.install(folder / "models", version="1.1.0", estimator=swapped())
    options = {"AUTO_ROLLBACK": "true", "UPKEEP": "false"}
    with batcomputer(folder, folder / "models", **options) as server:
        manage(server.env, "activate_model", "arkham", "1.0.0")
        yield server


def versions(server):
    """The version that answers each caller, from the answers."""
    return {
        case: sent(f"{server.url}/api/predict", bundles.ITEM, **{"X-Reference": case})[0][
            "X-Model-Version"
        ]
        for case in CASES
    }


class Caller:
    """A caller that asks one request after the other, each until it is answered."""

    def __init__(self, port, name):
        self.answers = {}  # id and version, by the request's key
        self.broken = 0  # times that a connection ended without an answer
        self._port, self._name, self._end = port, name, threading.Event()
        self._thread = threading.Thread(target=self._ask_until_ended)
        self._thread.start()

    def end(self):
        self._end.set()
        self._thread.join()

    def _ask_until_ended(self):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        is_open = False  # requests are repeated until they are answered
        while is_open or not self._end.is_set():
            key, is_open = f"{self._name} {len(self.answers)}", True
            headers = {
                "Content-Type": "application/json",
                "X-Reference": self._name,
                "Idempotency-Key": key,
            }
            try:
                connection.request("POST", "/api/predict", json.dumps(bundles.ITEM), headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self.broken += 1
                connection.close()
                continue
            if answer.status == 200:
                got, is_open = answer.headers, False
                self.answers[key] = (got["X-Prediction-Id"], got["X-Model-Version"])
        connection.close()


ON_RECORD = """
import json
from predictor.models import Prediction
rows = Prediction.objects.filter(reference__startswith="under load")
print(json.dumps({str(pk): version for pk, version in rows.values_list("id", "version")}))
"""


def test_callers_stay_where_they_are_while_workers_are_killed(service):
    """Nothing is lost or answered twice, and each caller meets the version it met before."""
    eventually(lambda: {*versions(service).values()} == {"1.0.0"}, 20)
    manage(service.env, "try_model", "arkham", "1.1.0", "--share", "50")
    eventually(lambda: len({*versions(service).values()}) == 2, 20)
    eventually(lambda: versions(service) == versions(service), 20)
    callers = [Caller(service.port, f"under load {number}") for number in range(8)]
    for killed in range(3):
        eventually(lambda n=killed: sum(len(one.answers) for one in callers) > 200 * (n + 1), 60)
        os.kill(service.workers()[0], signal.SIGKILL)
        eventually(lambda: len(service.workers()) == 2, 30)
    for caller in callers:
        caller.end()
    manage(service.env, "try_model", "arkham", "--end")

    assert any(caller.broken for caller in callers), "the kills met nothing"
    met = [{version for _, version in caller.answers.values()} for caller in callers]
    assert all(len(versions) == 1 for versions in met), met
    assert {version for versions in met for version in versions} == {"1.0.0", "1.1.0"}
    got = dict(pair for caller in callers for pair in caller.answers.values())
    assert json.loads(manage(service.env, "shell", "--no-imports", "-c", ON_RECORD)) == got


def watched(server):
    command = [sys.executable, "manage.py", "watch_models"]
    done = subprocess.run(
        command, cwd=ROOT, env=server.env, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_the_loop_on_a_real_service(service):
    predict = f"{service.url}/api/predict"
    eventually(lambda: {*versions(service).values()} == {"1.0.0"}, 20)

    manage(service.env, "try_model", "arkham", "1.1.0", "--share", "50")
    eventually(lambda: len({*versions(service).values()}) == 2, 20)
    eventually(lambda: versions(service) == versions(service), 20)
    met = versions(service)
    assert 0 < sum(version == "1.1.0" for version in met.values()) < len(CASES)

    os.kill(service.workers()[0], signal.SIGKILL)
    eventually(lambda: len(service.workers()) == 2, 30)
    eventually(lambda: versions(service) == met, 20)
    service.kill()
    service.start()
    eventually(lambda: versions(service) == met, 20)

    # outcomes come back over HTTP: what 1.0.0 says comes true
    answers = [sent(predict, item, **{"X-Reference": CASES[at % len(CASES)]})
               for at, item in enumerate(items(120))]  # fmt: skip
    for headers, scores in answers:
        top = max(scores, key=scores.get)
        other = min(scores, key=scores.get)
        flag = top if headers["X-Model-Version"] == "1.0.0" else other
        identity = headers["X-Prediction-Id"]
        sent(f"{service.url}/api/predictions/{identity}/outcome", {"outcome": flag})
    assert "arkham 1.1.0: this candidate is proven worse" in (said := watched(service))
    assert "its trial was ended" in said
    eventually(lambda: {*versions(service).values()} == {"1.0.0"}, 20)

    manage(service.env, "activate_model", "arkham", "1.1.0", "--reason", "it is wanted")
    eventually(lambda: {*versions(service).values()} == {"1.1.0"}, 20)
    assert "rolled back to 1.0.0" in watched(service)
    eventually(lambda: {*versions(service).values()} == {"1.0.0"}, 20)
    assert "rolled back" not in watched(service)

    said = manage(service.env, "shadow", "arkham", "1.1.0")
    assert "proven worse: difference in Brier score" in said
