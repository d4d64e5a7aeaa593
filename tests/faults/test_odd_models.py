"""A model that raises, hangs, answers NaN or the wrong width: one request fails, the rest go on."""

import re
import threading
import time

import pytest

from tests import bundles, wire
from tests.servers import batcomputer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    bundles.install(folder / "models", metadata={})  # hours without bounds: no table of answers
    limits = {"GUNICORN_CMD_ARGS": "--timeout 4"}
    with batcomputer(folder, folder / "models", "tests.faults.odd_model", **limits) as running:
        yield running


def ask(server, hour=3):
    body = wire.json.dumps(bundles.ITEM | {"hour": hour}).encode()
    return wire.ask(server.port, wire.request(body=body))


def failures(server, kind):
    text = wire.ask(server.port, wire.request("/metrics", "GET", b"")).body.decode()
    found = re.search(rf'scoring_failures_total{{kind="{kind}"}} (\d+)', text)
    return int(found.group(1)) if found else 0


@pytest.mark.parametrize("hour", [20, 23], ids=["raises", "wrong width"])
def test_a_model_that_fails_is_a_problem_and_a_metric(server, hour):
    before = failures(server, "failed")
    answer = ask(server, hour)
    assert answer.status == 500
    assert answer.json["title"] == "The model failed"
    assert failures(server, "failed") == before + 1
    assert ask(server).status == 200


def test_a_model_without_an_answer_is_no_fault_of_the_server(server):
    before = failures(server, "failed")
    answer = ask(server, 22)
    assert answer.status == 422
    assert answer.json["title"] == "The model has no answer"
    assert answer.json["errors"] == [
        {"field": "hour", "message": "its score is not a finite number"}
    ]
    assert failures(server, "failed") == before
    metrics = wire.ask(server.port, wire.request("/metrics", "GET", b"")).body.decode()
    assert "batcomputer_abstentions_total 1.0" in metrics


def test_a_file_that_fails_half_way_is_refused_whole_and_counted_once(server):
    """It is scored before its status leaves, so no client takes a part for the whole."""
    before = failures(server, "failed")
    rows = b"Gotham,Joker,3\r\n" * 1000 + b"Gotham,Joker,20\r\n"
    body = b"city,villain,hour\r\n" + rows
    answer = wire.ask(server.port, wire.request(body=body, Content_Type="text/csv"))
    assert (answer.status, answer.json["title"]) == (500, "The model failed")
    assert failures(server, "failed") == before + 1
    assert ask(server).status == 200


@pytest.mark.parametrize("hour", [21, 19], ids=["sleeps", "holds the interpreter's lock"])
def test_a_model_that_hangs_keeps_nobody_waiting(server, hour):
    """Its request ends in time, other requests go on, and no worker is replaced."""
    workers = set(server.workers())
    before = failures(server, "overdue")
    hung = []
    waiting = threading.Thread(target=lambda: hung.append(ask(server, hour)))
    waiting.start()
    time.sleep(0.3)  # it hangs now
    probes = [wire.ask(server.port, wire.request("/healthz", "GET", b"")) for _ in range(20)]
    waiting.join()
    assert hung[0].status == 503
    assert hung[0].headers["Retry-After"]
    assert hung[0].json["detail"] == "the model did not answer within 1 s"
    assert hung[0].seconds < 3
    assert max(probe.seconds for probe in probes) < 0.5
    assert failures(server, "overdue") == before + 1
    assert {ask(server).status for _ in range(20)} == {200}
    assert set(server.workers()) == workers


def test_a_model_that_crashes_harms_its_caller_alone(server):
    workers = set(server.workers())
    answers = in_threads(server, [18, *range(8)])
    assert answers.pop(18) == 503
    assert answers == dict.fromkeys(range(8), 200)
    assert set(server.workers()) == workers


def test_those_behind_a_hanging_call_are_answered(server):
    answers = in_threads(server, [21, *range(8)])
    assert answers.pop(21) == 503
    assert answers == dict.fromkeys(range(8), 200)


def in_threads(server, hours):
    answers = {}
    threads = [
        threading.Thread(target=lambda hour=hour: answers.update({hour: ask(server, hour).status}))
        for hour in hours
    ]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    return answers
