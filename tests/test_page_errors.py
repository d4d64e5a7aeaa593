"""Errors on every page have the same status and words as in the API.

People get a page, the page's scripts the API's problem document. The routes are those of the URL
configuration, so a new one is tried too.
"""

import logging

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from predictor.artifacts.errors import FieldError, InvalidInput, ScoringError, ScoringTimeout
from predictor.artifacts.version import ModelVersion
from predictor.log import outcomes
from predictor.log.errors import LogUnavailable
from predictor.monitoring import metrics
from predictor.serving.current import Serving
from predictor.serving.errors import ModelUnavailable, UnknownModel
from tests.bundles import ITEM
from tests.routes import address, page_routes
from tests.sweeps import swept

pytestmark = pytest.mark.django_db

ROUTES = page_routes()
for unasking in ("favicon", "language", "robots", "manifest", "offline"):  # they need no model
    del ROUTES[unasking]
FOR_SCRIPTS = {"wall-map-csv"} | {
    name for name, p in ROUTES.items() if p.callback.__module__ == "batclient.script_views"
}
JSON = {"Accept": "application/json"}
PROBLEM = "application/problem+json"

ERRORS = {
    "unknown model": UnknownModel("arkhan", "arkham"),
    "no version that loads": ModelUnavailable("arkham 1.0.0 cannot be served"),
    "log away": LogUnavailable(),
    "failed model": ScoringError("ValueError: the estimator's own words"),
    "hanging model": ScoringTimeout(5),
    "wrong case": InvalidInput([FieldError("hour", "must be a number")]),
    "database away": OperationalError("no route to 10.1.2.3"),
    "database's connection lost": InterfaceError("connection already closed"),
}
LOGGED = (ScoringError, OperationalError, InterfaceError)


def answers(client, path, **headers):
    """The path's response to each of its methods."""
    for ask in (client.get, client.post):
        kind = {"content_type": "text/csv"} if path.endswith("/bulk") else {}
        answer = ask(path, headers=headers, **kind)
        if answer.status_code != 405:
            yield answer


def counted(kind):
    return metrics.SCORING_FAILURES.labels(kind)._value.get()


@pytest.fixture(params=swept({name: name for name in ERRORS}, 2))
def error(request, monkeypatch, models_dir):
    """Every service that a page uses raises this error."""
    error = ERRORS[request.param]

    def raises(*_, **__):
        raise error

    monkeypatch.setattr(Serving, "active", raises)
    monkeypatch.setattr(outcomes, "record_outcome", raises)
    return error


@pytest.mark.parametrize("route", ROUTES)
def test_it_is_what_the_api_says(error, client, route, caplog):
    api = client.post("/api/predict", ITEM, content_type="application/json")
    caplog.clear()
    before = counted("failed") + counted("overdue")
    found = list(answers(client, address(ROUTES[route])))
    assert found
    for answer in found:
        assert answer.status_code == api.status_code
        assert answer.get("Retry-After") == api.get("Retry-After")
        if route in FOR_SCRIPTS:
            assert answer["Content-Type"] == PROBLEM
            assert answer.json() == api.json()
        else:
            assert answer["Content-Type"].startswith("text/html")
            assert api.json()["detail"].partition("'")[0] in answer.content.decode()
        assert b"own words" not in answer.content
        assert b"10.1.2.3" not in answer.content
    reports = [r for r in caplog.records if str(error) in r.message and r.levelno >= logging.ERROR]
    failures = counted("failed") + counted("overdue") - before
    assert len(reports) == (len(found) if isinstance(error, LOGGED) else 0)
    assert failures == (len(found) if isinstance(error, ScoringError) else 0)


@pytest.mark.parametrize("route", sorted(ROUTES.keys() - FOR_SCRIPTS))
def test_scripts_are_refused_with_a_problem_on_every_page(error, client, route):
    api = client.post("/api/predict", ITEM, content_type="application/json")
    for answer in answers(client, address(ROUTES[route]), **JSON):
        assert answer["Content-Type"] == PROBLEM
        assert answer.json() == api.json()


@pytest.mark.parametrize("route", swept(sorted(ROUTES), 6))
@pytest.mark.parametrize(
    "error", [ScoringError("it raised"), ScoringTimeout(5)], ids=["bad", "slow"]
)
def test_a_model_that_fails_is_counted_wherever_it_is_asked(
    arkham, client, monkeypatch, route, error
):
    asked = []

    def score(self, rows):
        asked.append(rows)
        raise error

    monkeypatch.setattr(ModelVersion, "score", score)
    before = counted("failed") + counted("overdue")
    csv = "city,villain,hour\r\nGotham,Joker,3\r\n"
    body = {"data": csv, "content_type": "text/csv"} if route == "bulk" else {"data": ITEM}
    found = [
        client.get(address(ROUTES[route]), ITEM | {"vary": "city"}),
        client.post(address(ROUTES[route]), **body),
    ]
    status = 503 if isinstance(error, ScoringTimeout) else 500
    assert [answer.status_code for answer in found].count(status) == len(asked)
    assert counted("failed") + counted("overdue") - before == len(asked)
    silent = {
        "model-card", "csv-template", "bulk-preview", "page-outcome", "surprise", "case",
        "case-picture",
    }  # fmt: skip
    assert bool(asked) == (route not in silent)


SESSIONS = "django.contrib.sessions.backends.db.SessionStore"


@pytest.mark.parametrize("route", swept(sorted(ROUTES), 3))
def test_what_middleware_raises_has_the_same_status(arkham, settings, monkeypatch, caplog, route):
    """Who has logged in is looked up before the view, and sessions are in the database."""
    settings.PAGES = "login"
    asking = Client(raise_request_exception=False)
    asking.cookies[settings.SESSION_COOKIE_NAME] = "x" * 32

    def away(self):
        raise OperationalError("no route to 10.1.2.3")

    monkeypatch.setattr(f"{SESSIONS}.load", away)
    found = list(answers(asking, address(ROUTES[route])))
    assert found
    for answer in found:
        assert answer.status_code == 503
        assert answer["Retry-After"] == "1"
        kind = PROBLEM if route in FOR_SCRIPTS else "text/html"
        assert answer["Content-Type"].startswith(kind)
        assert b"10.1.2.3" not in answer.content
    reports = [r for r in caplog.records if r.name == "predictor.http.errors"]
    assert len(reports) == len(found)
    assert not [r for r in caplog.records if r.exc_info], "it is no mistake of ours"


def test_every_view_for_scripts_is_marked():
    marked = {name for name, p in ROUTES.items() if hasattr(p.callback, "for_scripts")}
    assert marked == FOR_SCRIPTS


@pytest.mark.parametrize("route", ["bulk", "page-outcome"])
def test_a_script_without_the_form_s_token_is_refused_with_a_problem(arkham, route):
    elsewhere = Client(enforce_csrf_checks=True)
    answer = elsewhere.post(address(ROUTES[route]), "", content_type="text/csv")
    assert answer.status_code == 403
    assert answer["Content-Type"] == PROBLEM
