"""The whole loop over HTTP and the command line: from drift to the version trained for it."""

import json
import random
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from tests import bundles
from tests.deadlines import eventually
from tests.servers import batcomputer, manage, postgres
from tests.trials.test_retraining import Other
from tests.trials.test_shadow import items

pytestmark = pytest.mark.slow

ASKED = 260
RULES = """
[judge]
fewest_clusters = 5
[better_than.constant]
at_least = 0.0
"""
EVEN = {"baseline": {"city": dict.fromkeys(bundles.CITIES, 1 / 3)}}


class Trainer(Other):
    """Who trains: puts a version into the folder of models, and reports how far it is."""

    def __init__(self, models):
        super().__init__()
        self.models, self.report = models, None
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def train(self):
        """What a request begins."""
        asked = json.loads(self.taken[0][2])
        self.report(asked["id"], {"state": "running", "run": "https://ci.example/run/7"})
        metadata = bundles.METADATA | EVEN | {"created": datetime.now(UTC).isoformat()}
        bundles.install(self.models, version="1.1.0", metadata=metadata)
        self.report(asked["id"], {"state": "done", "result": "1.1.0 was published"})
        return asked

    def close(self):
        self.shutdown()
        self.server_close()


def send(url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.headers, json.loads(answer.read())


@pytest.fixture(params=["SQLite", "two servers with one PostgreSQL"])
def service(request, tmp_path):
    """The servers, and who trains."""
    models = tmp_path / "models"
    bundles.install(models, metadata=bundles.METADATA | EVEN)
    with ExitStack() as stack:
        trainer = Trainer(models)
        stack.callback(trainer.close)
        settings = {
            "RETRAIN_WEBHOOK": f"{trainer.url}/hook", "RETRAIN_SECRET": "of the tests",
            "RETRAIN_ON": "drift", "LOG_SHARED": "true", "UPKEEP": "false", "AUTO_ROLLBACK": "true",
        }  # fmt: skip
        folders = [tmp_path / "one"]
        if request.param != "SQLite":
            settings["DATABASE_URL"] = stack.enter_context(postgres()).url
            settings["HTTPS"] = "false"
            folders.append(tmp_path / "two")
        servers = []
        for folder in folders:
            folder.mkdir()
            started = batcomputer(folder, models, migrate=not servers, **settings)
            servers.append(stack.enter_context(started))
        yield servers, trainer


def everywhere(servers, *command):
    """The same command beside each server at the same moment; what they printed."""
    with ThreadPoolExecutor(len(servers)) as pool:
        said = list(pool.map(lambda server: manage(server.env, *command), servers))
    return "\n".join(said)


def asked_of(servers, questions):
    """Ask one server after the other, and report what comes true as often as was stated."""
    met, chance = set(), random.Random(2)
    for at, item in enumerate(questions):
        url = servers[at % len(servers)].url
        headers, scores = send(f"{url}/api/predict", item, **{"X-Reference": f"case {at}"})
        met.add(headers["X-Model-Version"])
        (flag,) = chance.choices(list(scores), list(scores.values()))
        send(f"{url}/api/predictions/{headers['X-Prediction-Id']}/outcome", {"outcome": flag})
    return met


def test_it_works(service, tmp_path):
    servers, trainer = service
    first, last = servers[0], servers[-1]
    trainer.report = lambda number, said: send(f"{last.url}/api/retrainings/{number}", said)
    manage(first.env, "activate_model", "arkham", "1.0.0")

    # what is asked is not what it was trained for
    assert asked_of(servers, [item | {"city": "Gotham"} for item in items(ASKED)]) == {"1.0.0"}
    said = everywhere(servers, "upkeep")
    assert "drifted: " in said
    assert "city of arkham 1.0.0" in said
    for _ in range(2):
        everywhere(servers, "watch_models")
    assert len(trainer.taken) == 1, "however many look, a request is sent once"
    asked = trainer.train()
    assert (asked["model"], asked["version"], asked["reason"]) == ("arkham", "1.0.0", "drift")
    _, progress = send(f"{first.url}/api/retrainings/{asked['id']}")
    assert (progress["state"], progress["run"]) == ("done", "https://ci.example/run/7")
    everywhere(servers, "watch_models")
    assert len(trainer.taken) == 1

    # judged on what came true since, tried by some callers, asked all that was asked
    truth, rules = tmp_path / "truth.csv", tmp_path / "rules.toml"
    rules.write_text(RULES)
    manage(first.env, "export_truth", "arkham", str(truth))
    given = ("--cases", str(truth), "--rules", str(rules))
    assert "verdict: passed" in manage(last.env, "judge_model", "arkham", "1.1.0", *given)
    manage(last.env, "try_model", "arkham", "1.1.0", "--share", "50")
    eventually(lambda: asked_of(servers, items(40)) == {"1.0.0", "1.1.0"}, 30)
    assert "nothing is proven" in manage(first.env, "watch_models")
    assert "arkham 1.1.0: " in manage(first.env, "shadow", "arkham", "1.1.0", "--strict")

    manage(first.env, "activate_model", "arkham", "1.1.0", "--reason", "better, and tried")
    eventually(lambda: asked_of(servers, items(20)) == {"1.1.0"}, 30)
