"""One failure, one answer: the same status and document at every exit, counted and logged once.

The routes come from the URL configuration, so that a new one cannot forget the rule.
"""

import json
import pkgutil
from collections import Counter
from importlib import import_module
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.middleware.common import CommonMiddleware
from django.test import Client, RequestFactory
from django.urls import reverse
from prometheus_client import REGISTRY

from predictor.api.model_views import CompareView
from predictor.api.predict_view import PredictView
from predictor.artifacts.errors import (
    Abstention,
    FieldError,
    InvalidInput,
    ScorerLost,
    ScoringError,
    ScoringTimeout,
)
from predictor.artifacts.version import ModelVersion
from predictor.http.errors import MalformedBody
from predictor.http.short_way import ShortWay
from predictor.keys import key_ring
from predictor.log import refusals
from predictor.log.errors import LogUnavailable, UnknownPrediction
from predictor.management import commands
from predictor.serving.errors import ModelUnavailable, UnknownModel
from predictor.spreadsheets.reading import UnreadableCSV
from predictor.urls import urlpatterns
from tests.bundles import ITEM
from tests.sweeps import swept
from tests.tensors import tensors

pytestmark = pytest.mark.django_db
CSV = b"city,villain,hour\r\nGotham,Joker,3\r\nGotham,Joker,4\r\n"
LOST = "there is no prediction 01a21480-edfa-7c68-a3eb-fae452f81490 in the database (or not yet)"


def expected(status, title, detail, errors=None):
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return body | ({"errors": errors} if errors else {})


# Each fault, and the response to it on every route.
FAILURES = {
    "no such model": (
        UnknownModel("arkam", "arkham"),
        expected(404, "Not found", "there is no model 'arkam'; did you mean 'arkham'?"),
    ),
    "no such prediction": (
        UnknownPrediction("01a21480-edfa-7c68-a3eb-fae452f81490"), expected(404, "Not found", LOST),
    ),
    "no version": (
        ModelUnavailable("no model is installed"),
        expected(503, "Not available now", "no model is installed"),
    ),
    "no log": (
        LogUnavailable(),
        expected(
            503, "Not available now",
            "the prediction log cannot be written, so no prediction is answered; try later",
        ),
    ),
    "no score": (
        ScoringError("the model failed: ValueError: a secret"),
        expected(500, "The model failed", "the model gave no usable score for this request"),
    ),
    "no score in time": (
        ScoringTimeout(10),
        expected(503, "Not available now", "the model did not answer within 10 s"),
    ),
    "no process to score in": (
        ScorerLost(),
        expected(
            503, "Not available now", "the model's process ended while it answered; try later"
        ),
    ),
    "no answer for these values": (
        Abstention("x is too large", ["hour"]),
        expected(
            422, "The model has no answer", "the model cannot answer these values: x is too large",
            [{"field": "hour", "message": "x is too large"}],
        ),
    ),
    "no CSV": (
        UnreadableCSV("the CSV is empty"),
        expected(400, "The request is malformed", "the CSV is empty"),
    ),
    "a wrong field": (
        InvalidInput([FieldError("city", "this field is required", "Gotham")]),
        expected(
            400, "The request does not fit the model", "city: this field is required",
            [{"field": "city", "message": "this field is required", "suggestion": "Gotham"}],
        ),
    ),
    "no JSON": (
        MalformedBody("the body is not JSON"),
        expected(400, "The request is malformed", "the body is not JSON"),
    ),
    "database away": (
        OperationalError("server at 10.0.0.7 closed the connection"),
        expected(503, "Not available now", "the database does not answer now; try later"),
    ),
    "connection lost": (
        InterfaceError("connection already closed"),
        expected(503, "Not available now", "the database does not answer now; try later"),
    ),
    "a mistake of ours": (
        ZeroDivisionError("division by a secret"),
        expected(500, "The server failed", "an unexpected error; it has been logged"),
    ),
}  # fmt: skip
each_failure = pytest.mark.parametrize(("error", "document"), swept(FAILURES, 2))
# a file's rows are named in that one's document
OF_A_FILE = {name: f for name, f in FAILURES.items() if not isinstance(f[0], Abstention)}
each_of_a_file = pytest.mark.parametrize(("error", "document"), swept(OF_A_FILE, 2))
# faults that a command can meet: it has no request, and our own mistakes keep their trace
OF_A_COMMAND = [
    error for error, _ in FAILURES.values() if type(error) not in (MalformedBody, ZeroDivisionError)
]


def api_routes():
    """Every method of every route: its name, its method, its path and its view's class."""
    filled_in = {"name": "arkham", "identity": uuid4(), "version": "1.0.0", "number": 1}
    for route in urlpatterns:
        path = reverse(route.name, kwargs={n: filled_in[n] for n in route.pattern.converters})
        for method in ("get", "post", "put", "patch", "delete"):
            if hasattr(route.callback.cls, method):
                yield pytest.param(method, path, route.callback.cls, id=f"{method} {route.name}")


def raising(error):
    def fails(*_, **__):
        raise error.with_traceback(None)

    return fails


@pytest.fixture(scope="module")
def asking():
    """A client that is answered as others are, not given the server's exceptions."""
    return Client(raise_request_exception=False)


@pytest.fixture
def checked(caplog):
    """Checks an answer, and that its failure was counted and logged once."""
    before = counts()

    def check(response, error, document):
        status = document["status"]
        assert response.status_code == status
        v2 = getattr(response, "request", {}).get("PATH_INFO", "").startswith("/v2")
        kind = "application/json" if v2 else "application/problem+json"
        assert response["Content-Type"] == kind
        assert json.loads(response.content) == ({"error": document["detail"]} if v2 else document)
        assert response.get("Retry-After") == ("1" if status == 503 else None)
        noted = refusals._gathered.items()
        assert [count for key, count in noted if key.kind == f"status {status}"] == [1]
        check_counted_once(error, status, counts() - before, caplog)

    return check


def check_counted_once(error, status, counted, caplog):
    assert counted == {("request", str(status)): 1} | counted_as(error)
    reasons = logged(caplog, "predictor.http.errors")
    assert len(reasons) == is_noted(error)
    assert all(str(error) in reason for reason in reasons)
    traces = [r for r in caplog.records if r.exc_info]
    assert len(traces) == isinstance(error, ZeroDivisionError)
    lines = logged(caplog, "predictor.http.request_log")
    assert [f": {status} in " in line for line in lines[len(traces) :]] == [True]


def counted_as(error):
    if isinstance(error, Abstention):
        return {("abstention", ""): 1}
    overdue = isinstance(error, ScoringTimeout)
    kind = "overdue" if overdue else "failed"
    return {("scoring", kind): 1} if isinstance(error, ScoringError) else {}


def is_noted(error):
    failures = ScoringError | OperationalError | InterfaceError
    return isinstance(error, failures) and not isinstance(error, Abstention)


def counts():
    """The counts so far of failed scorings by kind, and of requests by status."""
    found = Counter()
    for family in REGISTRY.collect():
        for sample in family.samples:
            if sample.name == "batcomputer_scoring_failures_total":
                found["scoring", sample.labels["kind"]] += int(sample.value)
            if sample.name == "batcomputer_abstentions_total":
                found["abstention", ""] += int(sample.value)
            if sample.name == "batcomputer_http_requests_total":
                found["request", sample.labels["status"]] += int(sample.value)
    return found


def logged(caplog, logger):
    return [record.getMessage() for record in caplog.records if record.name == logger]


@each_failure
@pytest.mark.parametrize(("method", "path", "view"), [*api_routes()])
def test_every_route(asking, checked, monkeypatch, method, path, view, error, document):
    monkeypatch.setattr(view, method, raising(error))
    checked(getattr(asking, method)(path, ITEM, "application/json"), error, document)


SCORING = {"predict", "model-predict", "compare", "v2-model-infer", "v2-version-infer"}


# by name; the documents try an example, and leave it out where the model fails
BY_NAME = {p.id: p.values for p in api_routes() if p.id not in ("get schema", "get openapi")}


@pytest.mark.parametrize(("method", "path", "view"), swept(BY_NAME, 8))
def test_a_model_that_fails_is_no_view_s_own_business(
    arkham, asking, monkeypatch, request, method, path, view
):
    asked = []

    def score(self, rows):
        asked.append(rows)
        raise ScoringError("it raised a secret")

    monkeypatch.setattr(ModelVersion, "score", score)
    before, query = counts(), urlencode(ITEM | {"vary": "city"})
    bodies = [(ITEM, "application/json"), ({"inputs": tensors(ITEM)}, "application/json"),
              (CSV, "text/csv")]  # fmt: skip
    if method == "get":
        found = [asking.get(f"{path}?{query}" if view is CompareView else path)]
    else:
        found = [getattr(asking, method)(path, *body) for body in bodies]
    failed = [answer for answer in found if answer.status_code == 500]
    assert len(failed) == len(asked)
    assert all(b"gave no usable score" in answer.content for answer in failed)
    assert (counts() - before)["scoring", "failed"] == len(asked)
    assert bool(asked) == (request.node.callspec.id.split()[-1] in SCORING)


QUESTIONS = {
    "plain": (json.dumps(ITEM), "application/json", {}),
    "negotiated": (json.dumps(ITEM), "application/json", {"HTTP_ACCEPT": "application/*"}),
    "CSV": (CSV, "text/csv", {}),
}


@each_failure
@pytest.mark.parametrize(("body", "kind", "headers"), QUESTIONS.values(), ids=QUESTIONS)
def test_the_short_way(checked, monkeypatch, body, kind, headers, error, document):
    monkeypatch.setattr(PredictView, "post", raising(error))
    environ = RequestFactory().generic("POST", "/api/predict", body, kind, **headers).environ
    begun = []
    content = b"".join(ShortWay(None)(environ, lambda *answer: begun.extend(answer)))
    answered = HttpResponse(content, status=int(begun[0].split()[0]), headers=dict(begun[1]))
    checked(answered, error, document)


@each_of_a_file
def test_a_csv_before_its_first_row_is_answered(
    arkham, asking, checked, monkeypatch, error, document
):
    monkeypatch.setattr("predictor.api.csv_files.predict_once", raising(error))
    checked(asking.post("/api/predict", CSV, "text/csv"), error, document)


@each_of_a_file
def test_a_csv_that_has_begun_ends_unfinished(arkham, asking, monkeypatch, caplog, error, document):
    """Its status has left; the client sees a transfer that breaks off, we a count and a line."""
    monkeypatch.setattr("predictor.api.csv_files.BATCH", 1)
    before, response = counts(), asking.post("/api/predict", CSV, "text/csv")
    monkeypatch.setattr("predictor.api.csv_files.predict_once", raising(error))
    pieces = iter(response)
    assert [next(pieces).count(b"\n") for _ in range(2)] == [1, 1]
    with pytest.raises(type(error)):
        next(pieces)
    response.close()
    assert counts() - before == {("request", "200"): 1} | counted_as(error)
    assert len(logged(caplog, "predictor.http.errors")) == is_noted(error)


@each_failure
@pytest.mark.parametrize(
    ("path", "broken"),
    [
        ("/readyz", "predictor.http.probes.serving"),
        ("/metrics", "predictor.http.exposition.LiveMetrics"),
        ("/v2/health/ready", "predictor.http.probes.serving"),
    ],
)
def test_probes(asking, checked, monkeypatch, path, broken, error, document):
    monkeypatch.setattr(broken, raising(error))
    checked(asking.get(path), error, document)


@pytest.mark.parametrize("name", ["database away", "connection lost", "a mistake of ours"])
def test_a_key_that_cannot_be_looked_up(asking, checked, monkeypatch, name):
    error, document = FAILURES[name]
    monkeypatch.setattr(key_ring, "_look_up", raising(error))
    asked = asking.post("/api/predict", ITEM, "application/json", headers={"X-API-Key": "a.key"})
    checked(asked, error, document)


@pytest.mark.parametrize("name", ["database away", "connection lost", "a mistake of ours"])
def test_middleware_behind_the_first(asking, checked, monkeypatch, name):
    error, document = FAILURES[name]
    monkeypatch.setattr(CommonMiddleware, "process_request", raising(error))
    checked(asking.get("/api/info"), error, document)


@each_failure
def test_admin(monkeypatch, caplog, error, document):
    """People are answered with a page: the same status, counted and logged alike."""
    asking = Client(raise_request_exception=False)
    asking.force_login(User.objects.create_superuser("alfred"))
    monkeypatch.setattr("predictor.admin.site.dashboard", raising(error))
    before, response = counts(), asking.get("/admin/")
    assert response.status_code == document["status"]
    assert response["Content-Type"].startswith("text/html")
    assert "secret" not in response.content.decode()
    assert response.get("Retry-After") == ("1" if document["status"] == 503 else None)
    check_counted_once(error, document["status"], counts() - before, caplog)


COMMANDS = [
    import_module(f"{commands.__name__}.{found.name}").Command
    for found in pkgutil.iter_modules(commands.__path__)
]


@pytest.mark.parametrize("error", OF_A_COMMAND, ids=lambda error: type(error).__name__)
def test_commands_end_with_one_sentence(monkeypatch, error):
    for command in COMMANDS:
        monkeypatch.setattr(command, "handle", raising(error))
        with pytest.raises(CommandError) as ended:
            command().execute(force_color=False, no_color=False, skip_checks=True)
        assert str(error) in str(ended.value)
        assert "\n" not in str(ended.value)
