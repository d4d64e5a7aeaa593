"""A retraining over HTTP: its trainer reports it, and only keys with a right to all see it."""

import pytest

from predictor.keys.models import ApiKey
from predictor.models import Retraining

pytestmark = pytest.mark.django_db
RUN = "https://ci.example/run/7"


@pytest.fixture
def address(arkham):
    row = Retraining.objects.create(
        model="arkham", version="1.0.0", sha256="f" * 64, reason="promise", by="watch_models"
    )
    return f"/api/retrainings/{row.pk}"


@pytest.fixture
def trainer(client, address):
    """Sends as a key that may do both."""
    _, key = ApiKey.objects.create_key(name="trainer", reads_all=True, reports_all=True)

    def send(body=None, path=address):
        headers = {"X-API-Key": key}
        if body is None:
            return client.get(path, headers=headers)
        return client.post(path, body, "application/json", headers=headers)

    return send


def test_it_works(trainer):
    assert trainer().json()["state"] == "waiting"
    said = trainer({"state": "running", "run": RUN}).json()
    assert (said["state"], said["run"], said["finished"]) == ("running", RUN, None)
    said = trainer({"state": "failed", "result": "the figures are too young"}).json()
    assert said["finished"]
    assert said == trainer().json()
    assert said | {"id": 0, "asked": "", "finished": ""} == {
        "id": 0, "model": "arkham", "version": "1.0.0", "sha256": "f" * 64, "reason": "promise",
        "state": "failed", "asked": "", "sent": None, "run": RUN, "finished": "",
        "result": "the figures are too young",
    }  # fmt: skip


def test_it_stays_as_it_ended(trainer):
    first = trainer({"state": "done", "result": "1.1.0"}).json()
    assert trainer({"state": "done", "result": "again"}).json() == first
    answer = trainer({"state": "failed"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "state"
    assert trainer().json() == first


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "state"),
        ({"state": "sent"}, "state"),
        ({"state": ["done"]}, "state"),
        ({"state": "done", "run": 7}, "run"),
        ({"state": "done", "result": "x" * 501}, "result"),
        ({"state": "done", "result": "\0"}, "result"),
        ({"state": "done", "resutl": ""}, "resutl"),
        (["done"], ""),
        ('"done"', ""),
    ],
)
def test_what_is_no_report_is_refused(trainer, body, field):
    answer = trainer(body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert trainer().json()["state"] == "waiting"


@pytest.mark.parametrize("number", ["99", "99999999999999999999999"])
@pytest.mark.parametrize("body", [None, {"state": "done"}], ids=["read", "report"])
def test_a_request_that_is_none_is_unknown(trainer, body, number):
    assert trainer(body, f"/api/retrainings/{number}").status_code == 404


@pytest.mark.parametrize(
    ("rights", "statuses"),
    [({}, (403, 403)), ({"reads_all": True}, (200, 403)), ({"reports_all": True}, (403, 200))],
    ids=["none", "reads", "reports"],
)
def test_a_key_needs_the_right_to_all(client, address, rights, statuses):
    _, key = ApiKey.objects.create_key(name="Gordon", **rights)
    headers = {"X-API-Key": key}
    body = {"state": "running"}
    reported = client.post(address, body, "application/json", headers=headers)
    assert (client.get(address, headers=headers).status_code, reported.status_code) == statuses


def test_without_a_key_it_is_asked_for(client, address, settings):
    answers = client.get(address), client.post(address, {"state": "done"}, "application/json")
    assert [answer.status_code for answer in answers] == [401, 401]
    settings.LOG_SHARED = True
    assert client.get(address).status_code == 200
