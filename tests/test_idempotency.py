"""Idempotency-Key: who asks again is answered again, and the log has one row."""

import json
import shutil
from datetime import timedelta

import pytest
from django.db import OperationalError

from predictor.api import csv_files
from predictor.keys.models import ApiKey
from predictor.log import retention, writer
from predictor.models import IdempotencyKey, Prediction
from predictor.predictions import claims
from predictor.serving.current import serving
from tests import bundles
from tests.bundles import ITEM
from tests.tensors import tensors
from tests.test_support import TABLE

pytestmark = pytest.mark.django_db
CSV = "city,villain,hour\r\n" + "Gotham,Joker,3\r\n" * 5
BODIES = {
    "item": (json.dumps(ITEM), "application/json", 1),
    "array": (json.dumps([ITEM, ITEM | {"hour": 4}]), "application/json", 2),
    "CSV": (CSV, "text/csv", 5),
}
each_body = pytest.mark.parametrize(("body", "kind", "count"), BODIES.values(), ids=BODIES)


@pytest.fixture
def ask(client, arkham, monkeypatch):
    monkeypatch.setattr(csv_files, "BATCH", 2)

    def send(body=ITEM, kind="application/json", key="k1", path="/api/predict?ids=true", **headers):
        headers = {"Idempotency-Key": key, **headers}
        answered = client.post(path, body, kind, headers=headers)
        return answered, answered.getvalue()

    return send


@each_body
def test_the_same_request_has_the_same_ids_and_answer(ask, body, kind, count):
    first, said = ask(body, kind)
    again, said_again = ask(body, kind)
    assert first.status_code == again.status_code == 200
    assert said == said_again
    assert first["X-Prediction-Id"] == again["X-Prediction-Id"]
    assert Prediction.objects.count() == count


ARRAY = json.dumps([ITEM, ITEM | {"hour": 4}])
TENSORS = json.dumps({"inputs": tensors(ITEM, ITEM | {"hour": 4})})
API, V2 = "/api/predict", "/v2/models/arkham/infer"
V2_VERSION = "/v2/models/arkham/versions/1.0.0/infer"
WAYS = {
    "item": (f"{API}?ids=true", json.dumps(ITEM), "application/json", 1),
    "array": (f"{API}?ids=true", ARRAY, "application/json", 2),
    "details": (f"{API}?details=true", ARRAY, "application/json", 2),
    "explain": (f"{API}?explain=true", ARRAY, "application/json", 2),
    "CSV": (f"{API}?ids=true", CSV, "text/csv", 5),
    "V2": (V2, TENSORS, "application/json", 2),
    "V2, a version": (V2_VERSION, TENSORS, "application/json", 2),
}


@pytest.fixture
def renew(models_dir):
    """Activates a version whose inputs and flags have other names, in another order."""

    def install(*, gone=False):
        lookup = bundles.LOOKUP if gone else RENAMED
        bundles.install(
            models_dir, version="2.0.0", estimator=bundles.fitted(seed=5), metadata={},
            lookup=lookup, flags=["behind bars", "at large"],
        )  # fmt: skip
        if gone:
            shutil.rmtree(models_dir / "arkham" / "1.0.0")
        serving.cache_clear()

    return install


RENAMED = {{"hour": "time"}.get(name, name): labels for name, labels in bundles.LOOKUP.items()}


def each_way(ask):
    """The answer of each way, by its name; each request has a different key."""
    answers = {}
    for name, (path, body, kind, _) in WAYS.items():
        answered, said = ask(body, kind, key=name, path=path)
        assert answered.status_code == 200, (name, said)
        answers[name] = answered["X-Model-Version"], said
    return answers


@pytest.mark.slow
def test_the_version_that_answered_answers_again(ask, arkham, renew):
    """Its names, its details, its reasons; and it adds what never was on record."""
    (arkham / "support.json").write_text(json.dumps(TABLE))
    first = each_way(ask)
    assert {version for version, _ in first.values()} == {"1.0.0"}
    assert b'"interval"' in first["details"][1]
    count = Prediction.objects.count()
    renew()
    assert each_way(ask) == first
    begun = Prediction.objects.filter(pk__in=IdempotencyKey.objects.values("first"))
    Prediction.objects.exclude(pk__in=begun).delete()
    assert each_way(ask) == first
    assert Prediction.objects.count() == count


@pytest.mark.slow
def test_what_is_on_record_needs_no_version(ask, renew, monkeypatch):
    """The files of the version that answered no longer exist."""
    for name in ("details", "explain", "V2, a version"):
        monkeypatch.delitem(WAYS, name)
    first = each_way(ask)
    count = Prediction.objects.count()
    renew(gone=True)
    assert each_way(ask) == first
    begun = Prediction.objects.filter(pk__in=IdempotencyKey.objects.values("first"))
    Prediction.objects.exclude(pk__in=begun).delete()
    for name in ("array", "CSV", "V2"):
        path, body, kind, _ = WAYS[name]
        broken, said = ask(body, kind, key=name, path=path)
        assert (broken.status_code, b"arkham 1.0.0 began" in said) == (422, True), said
    assert Prediction.objects.count() == begun.count() < count


@each_body
def test_rows_that_were_not_written_before_the_end_are_written_once(ask, body, kind, count):
    _, said = ask(body, kind)
    lost = Prediction.objects.order_by("id").values_list("id", flat=True)[count // 2 :]
    Prediction.objects.filter(id__in=list(lost)).delete()
    assert ask(body, kind)[1] == said
    assert Prediction.objects.count() == count


@pytest.mark.parametrize("loses", [True, False])
def test_two_at_once_answer_alike(ask, monkeypatch, loses):
    """Another worker claims the key, and maybe inserts its row, while this one scores."""
    original = claims.Claim.identify

    def late(claim, count):
        monkeypatch.setattr(claims.Claim, "identify", original)
        if loses:
            late.said = ask()[1]
        return original(claim, count)

    monkeypatch.setattr(claims.Claim, "identify", late)
    _, said = ask()
    assert not loses or said == late.said
    assert Prediction.objects.count() == 1


def test_another_body_under_the_key_is_refused(ask, client):
    ask()
    for body, kind, query in (
        (ITEM | {"hour": 4}, "application/json", ""),
        ([ITEM], "application/json", ""),
        (CSV, "text/csv", ""),
        (ITEM, "application/json", "?reference=hour_"),
    ):
        answered, _ = ask(body, kind, path=f"{API}{query}")
        assert answered.status_code == 422, (body, query)
        assert answered.json()["title"] == "The key was used before"
        assert answered.json()["errors"][0]["field"] == "Idempotency-Key"
    assert Prediction.objects.count() == 1


def test_the_order_of_fields_makes_no_other_body(ask):
    turned = dict(reversed(ITEM.items()))
    assert ask()[0]["X-Prediction-Id"] == ask(turned, path=API)[0]["X-Prediction-Id"]


def test_keys_of_callers_do_not_meet(ask):
    ids = {ask()[0]["X-Prediction-Id"]}
    for name in ("Gordon", "Bullock"):
        _, key = ApiKey.objects.create_key(name=name)
        for _ in range(2):
            ids.add(ask(**{"X-API-Key": key})[0]["X-Prediction-Id"])
    assert len(ids) == 3


def test_a_refused_request_uses_up_no_key(ask):
    assert ask(ITEM | {"villain": "Jokre"})[0].status_code == 400
    assert ask()[0].status_code == 200


@pytest.mark.parametrize(("key", "status"), [("", 400), ("x" * 256, 400), ("x" * 255, 200)])
def test_a_key_has_1_to_255_characters(ask, key, status):
    assert ask(key=key)[0].status_code == status


def test_while_the_database_is_away_a_key_is_refused_and_others_are_not(ask, post, monkeypatch):
    def away(*_):
        raise OperationalError("gone")

    monkeypatch.setattr(claims.Claim, "_found", away)
    answered, _ = ask()
    assert (answered.status_code, answered["Retry-After"]) == (503, "1")
    assert post(ITEM).status_code == 200


def test_rows_in_the_spool_are_written_once(ask, monkeypatch):
    """The key was claimed, the row went to the spool; the caller asks before it is replayed."""
    spooled = []
    with monkeypatch.context() as patch:
        patch.setattr(writer, "record", spooled.extend)
        _, said = ask()
    assert not Prediction.objects.exists()
    assert ask()[1] == said
    writer.record(spooled)
    assert Prediction.objects.count() == 1


def test_without_a_log_the_header_changes_nothing(ask, settings):
    settings.PREDICTION_LOG = "off"
    assert ask()[0].status_code == 200
    assert not IdempotencyKey.objects.exists()


def test_keys_go_with_their_predictions(ask):
    ask()
    retention.prune(timedelta(seconds=-60))
    assert not IdempotencyKey.objects.exists()
