"""A request to retrain: recorded once, sent once, followed to its end, with stand-ins."""

import hmac
import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from predictor.admin.story import story_of
from predictor.models import Retraining
from predictor.serving.activation import activate
from predictor.serving.current import serving
from predictor.serving.loading import load_beside
from predictor.trials import retraining
from predictor.trials.retraining import PERSON, Subject, ask, carry_on
from predictor.trials.watch import note_drift, respond, watch
from tests import bundles
from tests.bundles import METADATA
from tests.trials.outcomes import came_true
from tests.trials.test_shadow import items

SECRET = "a secret of the tests"
ABOUT = Subject("arkham", "1.0.0", "f" * 64)


class Other(ThreadingHTTPServer):
    """A trainer: it accepts requests, and starts one run per token, as Databricks does."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken = []  # (path, headers, body)
        self.statuses = []  # to answer with, before 200s
        self.runs = {}  # token → run
        self.state = {"life_cycle_state": "RUNNING"}
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, dict(self.headers), body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        token = json.loads(body).get("idempotency_token")
        answer = {}
        if token and status == 200:
            answer = {"run_id": self.server.runs.setdefault(token, 70 + len(self.server.runs))}
        self.answer(status, answer)

    def do_GET(self):
        self.server.taken.append((self.path, dict(self.headers), b""))
        self.answer(200, {"state": self.server.state})

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def served():
    other = Other()
    thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield other
    finally:
        other.shutdown()
        thread.join()
        other.server_close()


@pytest.fixture
def other(settings, arkham):
    with served() as server:
        settings.RETRAIN_WEBHOOK = f"{server.url}/hook?api-version=6.0-preview"
        settings.RETRAIN_SECRET = SECRET
        settings.RETRAIN_ON = ["active worse", "promise"]
        yield server


@pytest.fixture
def databricks(other, settings):
    settings.RETRAIN_WEBHOOK = f"{other.url}/api/2.1/jobs/run-now?job_id=7"
    return other


def test_it_works(other):
    request = ask(ABOUT, "promise", "watch_models", "jailed came true 0 times; ${{ x }}")
    assert carry_on()[0].state == "sent"
    ((path, headers, body),) = other.taken
    assert path == "/hook?api-version=6.0-preview"
    for name, digest in (("X-Hub-Signature", "sha1"), ("X-Hub-Signature-256", "sha256")):
        signature = hmac.new(SECRET.encode(), body, digest).hexdigest()
        assert headers[name] == f"{digest}={signature}"
    assert json.loads(body) == {
        "id": request.pk, "token": f"retrain-{request.pk}-arkham", "model": "arkham",
        "version": "1.0.0", "sha256": "f" * 64, "reason": "promise",
    }  # fmt: skip
    assert b"${{" not in body, "pipelines paste it into their own text"


def test_it_is_asked_and_sent_once(other):
    for _ in range(20):
        ask(ABOUT, "promise", "watch_models")
        carry_on()
    assert len(other.taken) == 1
    ask(ABOUT, "active worse", "watch_models")
    ask(Subject("arkham", "1.1.0", "e" * 64), "promise", "watch_models")
    carry_on()
    assert len(other.taken) == 3, "another reason, other files"


def test_what_fails_is_sent_again_with_the_same_token(other):
    other.statuses = [500, 503]
    ask(ABOUT, "promise", "watch_models")
    (row,) = carry_on()
    assert (row.state, "500" in row.result, "127.0.0.1" in row.result) == ("waiting", True, True)
    carry_on()
    carry_on()
    assert [json.loads(body)["token"] for _, _, body in other.taken] == [row.token] * 3
    assert Retraining.objects.get().state == "sent"
    assert Retraining.objects.get().result == ""


def test_no_answer_is_a_failure(other, settings):
    settings.RETRAIN_WEBHOOK = "http://127.0.0.1:9/secret-path"
    ask(ABOUT, "promise", "watch_models")
    (row,) = carry_on()
    assert row.state == "waiting"
    assert "secret-path" not in row.result


def test_a_sender_that_is_killed_is_followed_by_another(databricks, monkeypatch):
    """Databricks took it, and nothing was noted: the token keeps a second run from starting."""
    ask(ABOUT, "promise", "watch_models")

    def killed(request):
        post(request)
        raise KeyboardInterrupt

    post = retraining._post
    with monkeypatch.context() as patch:
        patch.setattr(retraining, "_post", killed)
        with pytest.raises(KeyboardInterrupt):
            carry_on()
    assert carry_on() == [], "another may still be sending it"
    Retraining.objects.update(claimed=timezone.now() - timedelta(minutes=11))
    carry_on()
    assert len([path for path, _, _ in databricks.taken if "run-now" in path]) == 2
    assert len(databricks.runs) == 1


def test_two_at_once_send_it_once(other):
    request = ask(ABOUT, "promise", "watch_models")
    Retraining.objects.update(claimed=timezone.now())
    assert not retraining._sent(request)
    assert other.taken == []


def test_databricks_is_followed_to_the_end(databricks):
    request = ask(ABOUT, "promise", "watch_models")
    carry_on()
    (path, headers, body), (asked, _, _) = databricks.taken
    assert (path, headers["Authorization"]) == ("/api/2.1/jobs/run-now", f"Bearer {SECRET}")
    assert json.loads(body) == {"job_id": 7, "idempotency_token": request.token}
    parts = urlsplit(asked)
    assert (parts.path, parse_qs(parts.query)) == ("/api/2.1/jobs/runs/get", {"run_id": ["70"]})
    assert Retraining.objects.get().state == "running"
    databricks.state = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS",
                        "state_message": "nothing new: the same figures"}  # fmt: skip
    (row,) = carry_on()
    assert (row.state, row.result) == ("done", "nothing new: the same figures")
    assert row.finished is not None
    assert carry_on() == []


def test_a_run_that_fails_is_a_failed_request(databricks):
    ask(ABOUT, "promise", "watch_models")
    databricks.state = {"life_cycle_state": "INTERNAL_ERROR", "state_message": "no cluster"}
    carry_on()
    row = Retraining.objects.get()
    assert (row.state, row.result) == ("failed", "no cluster")
    assert carry_on() == [], "it is not asked again by itself"


def test_a_version_made_since_ends_it(other, models_dir):
    ask(ABOUT, "promise", "watch_models")
    carry_on()
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    bundles.install(models_dir, version="1.1.0", metadata=METADATA | {"created": later})
    (row,) = carry_on()
    assert (row.state, row.result) == ("done", "1.1.0 was made")


def test_evidence_asks_and_drift_asks_a_person(other, arkham, post, settings):
    activate("arkham", "1.0.0", "Alfred")
    post(items(200))
    came_true("escapes")
    serving().refresh()
    for finding in watch("arkham"):
        respond(finding, act=False)
    assert [row.reason for row in Retraining.objects.all()] == ["promise"]
    model = load_beside(arkham, chosen=True)
    note_drift(model, ["city"])
    assert Retraining.objects.count() == 1
    settings.RETRAIN_ON = ["drift"]
    note_drift(model, ["city"])
    assert Retraining.objects.first().reason == "drift"


def test_nothing_is_asked_where_there_is_no_one_to_ask(arkham, settings):
    settings.RETRAIN_WEBHOOK = ""
    assert ask(ABOUT, PERSON, "Alfred") is None
    assert carry_on() == []
    with pytest.raises(CommandError, match="RETRAIN_WEBHOOK is not set"):
        call_command("retrain_model", "arkham")


def test_a_person_asks(other, capsys):
    call_command("retrain_model", "arkham", reason="a new year")
    assert "person: request" in (said := capsys.readouterr().out)
    assert "was sent" in said
    call_command("retrain_model", "arkham")
    assert len(other.taken) == 1
    call_command("retrain_model", "arkham", again=True)
    assert len({json.loads(body)["token"] for _, _, body in other.taken}) == 2
    row = Retraining.objects.get()
    assert (row.figures, row.state) == ("a new year", "sent")


def test_the_story_tells_of_it(databricks):
    ask(ABOUT, "promise", "watch_models", "jailed came true 0 times")
    databricks.state = {"life_cycle_state": "INTERNAL_ERROR", "state_message": "no cluster"}
    carry_on()
    (event,) = [event for event in story_of("arkham").events if event.what == "retraining"]
    assert ("state", "failed: no cluster") in event.facts
    assert event.tone == "bad"
