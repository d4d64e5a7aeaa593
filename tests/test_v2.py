"""The Open Inference Protocol: tensors in and out, by the rules that the API has."""

import pytest
from django.core.cache import cache
from sklearn.dummy import DummyClassifier

from predictor.keys.models import ApiKey
from predictor.models import Prediction
from predictor.serving.current import serving
from tests import bundles
from tests.bundles import FLAGS, ITEM
from tests.tensors import tensors
from tests.test_system_checks import warned

pytestmark = pytest.mark.django_db
MODEL = "/v2/models/arkham"
OTHER = {"city": "Metropolis", "villain": "Penguin", "hour": 4}


def tensor(name, *data, datatype=None, shape=None):
    datatype = datatype or ("BYTES" if isinstance(data[0], str) else "FP64")
    return {"name": name, "shape": shape or [len(data)], "datatype": datatype, "data": [*data]}


@pytest.fixture
def infer(client):
    def send(*inputs, path=MODEL, headers=None, **body):
        return client.post(
            f"{path}/infer", {"inputs": [*inputs]} | body, "application/json", headers=headers
        )

    return send


def outputs(answered):
    assert answered.status_code == 200, answered.content
    return {each["name"]: each["data"] for each in answered.json()["outputs"]}


def in_order(field):
    return [*Prediction.objects.order_by("id").values_list(field, flat=True)]


def refused(answered, status=400):
    assert answered.status_code == status, answered.content
    assert answered["Content-Type"] == "application/json"
    assert answered.json().keys() == {"error"}
    return answered.json()["error"]


def test_it_answers_what_the_api_answers(arkham, post, infer):
    scores = post([ITEM, OTHER]).json()
    Prediction.objects.all().delete()
    answered = infer(*tensors(ITEM, OTHER), id="case 7", parameters={"priority": 1})
    said = answered.json()
    assert {key: said[key] for key in ("model_name", "model_version", "id")} == {
        "model_name": "arkham", "model_version": "1.0.0", "id": "case 7",
    }  # fmt: skip
    assert [(o["name"], o["datatype"], o["shape"]) for o in said["outputs"]] == [
        ("escapes", "FP64", [2]), ("jailed", "FP64", [2]), ("id", "BYTES", [2]),
    ]  # fmt: skip
    given = outputs(answered)
    rows = zip(given["escapes"], given["jailed"], strict=True)
    assert [dict(zip(FLAGS, row, strict=True)) for row in rows] == scores
    assert given["id"] == [str(key) for key in in_order("id")]
    assert answered["X-Prediction-Id"] == given["id"][0]
    assert answered["X-Model-Version"] == "1.0.0"
    assert in_order("inputs") == [ITEM, OTHER]


def test_what_is_null_is_not_said(arkham, infer):
    answered = infer(*(t | {"parameters": None} for t in tensors(ITEM)), id=None, outputs=None)
    assert answered.json().keys() == {"model_name", "model_version", "outputs"}
    assert [*outputs(answered)] == [*FLAGS, "id"]


def test_metadata_is_the_contract(arkham, client):
    version = client.get("/swagger.json").json()["info"]["version"]
    server = {"name": "batcomputer", "version": version, "extensions": []}
    assert client.get("/v2").json() == server
    for path in (MODEL, f"{MODEL}/versions/1.0.0"):
        model = client.get(path).json()
        assert model["name"] == "arkham"
        assert model["versions"] == ["1.0.0"]
        assert [(t["name"], t["datatype"], t["shape"]) for t in model["inputs"]] == [
            ("city", "BYTES", [-1]), ("villain", "BYTES", [-1]), ("hour", "FP64", [-1]),
        ]  # fmt: skip
        assert [t["name"] for t in model["outputs"]] == [*FLAGS, "id"]
        assert client.get(f"{path}/ready").json() == {"name": "arkham", "ready": True}


def test_another_version_does_not_answer(arkham, client, infer):
    assert infer(*tensors(ITEM), path=f"{MODEL}/versions/1.0.0").status_code == 200
    other = f"{MODEL}/versions/9.9"
    for answered in (client.get(other), client.get(f"{other}/ready"),
                     infer(*tensors(ITEM), path=other)):  # fmt: skip
        assert refused(answered, 404) == "version 1.0.0 of arkham answers, not 9.9"
    assert "did you mean 'arkham'" in refused(client.get("/v2/models/arkam/ready"), 404)
    assert Prediction.objects.count() == 1


def test_health(arkham, client, models_dir, settings):
    settings.API_KEY_REQUIRED = True
    assert client.get("/v2/health/live").status_code == 200
    assert client.get("/v2/health/ready").status_code == 200


def test_it_is_not_ready_without_a_model(models_dir, client):
    assert client.get("/v2/health/live").status_code == 200
    assert refused(client.get("/v2/health/ready"), 503) == "no model is installed"
    assert "no model is installed" in refused(client.get(f"{MODEL}/ready"), 503)


@pytest.mark.parametrize(
    "hour",
    [
        tensor("hour", 3, datatype="INT64"),
        tensor("hour", 3, datatype="UINT8"),
        tensor("hour", 3.0, datatype="FP32"),
        tensor("hour", 3, shape=[1, 1]),
        tensor("hour", [3], shape=[1, 1]),
    ],
)
def test_numbers_of_any_type(arkham, infer, hour):
    assert outputs(infer(*tensors(ITEM)[:2], hour))
    assert Prediction.objects.get().inputs["hour"] == 3


CITY, VILLAIN, HOUR = tensors(ITEM)


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ([CITY, VILLAIN, HOUR, HOUR], "with a name of its own"),
        ([CITY, VILLAIN, "hour"], "must be an object"),
        ([CITY, VILLAIN], "[0].hour: this field is required"),
        ([CITY, VILLAIN, HOUR, tensor("weather", 1)], "[0].weather: "),
        ([tensor("city", "Gotam"), VILLAIN, HOUR], "[0].city: "),
        ([CITY, VILLAIN, tensor("hour", 99)], "[0].hour: expected a whole number from 0 to 23"),
        ([CITY, VILLAIN, tensor("hour", "3")], 'input "hour" must be FP64 or'),
        ([tensor("city", 1), VILLAIN, HOUR], 'input "city" must be BYTES, not the text "FP64"'),
        ([CITY, VILLAIN, HOUR | {"datatype": ["FP64"]}], 'input "hour" must be FP64 or'),
        ([CITY, VILLAIN, tensor("hour", None)], "[0].hour: expected a whole number"),
        ([CITY, VILLAIN, tensor("hour", 3, 4)], "inputs have 1 rows and 2"),
        ([CITY, VILLAIN, HOUR | {"shape": [2]}], "must have the shape [n] or [n, 1]"),
        ([CITY, VILLAIN, HOUR | {"shape": [1, 2]}], "must have the shape [n] or [n, 1]"),
        ([CITY, VILLAIN, HOUR | {"shape": "1"}], "must have the shape [n] or [n, 1]"),
        ([CITY, VILLAIN, HOUR | {"data": None}], "binary data is not read"),
        ([tensor(n, *[v] * 1001) for n, v in ITEM.items()], "must hold 1 to 1,000 items"),
        ([t | {"shape": [0], "data": []} for t in tensors(ITEM)], "1 to 1,000 items, not 0"),
        ([], "inputs must be an array of tensors"),
    ],
)  # fmt: skip
def test_it_rejects_what_is_no_row(arkham, infer, inputs, sentence):
    assert sentence in refused(infer(*inputs))
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    "body", ["[]", '"a"', '{"inputs": 1}', '{"id": 0, "inputs": []}', "", "{", '{"inputs": [NaN]}']
)
def test_it_rejects_other_bodies(arkham, client, body):
    assert refused(client.post(f"{MODEL}/infer", body, "application/json"))
    assert refused(client.post(f"{MODEL}/infer", body or "1", "application/octet-stream"), 415)


def test_outputs_that_are_named(arkham, infer):
    wanted = [{"name": "jailed", "parameters": {"binary_data": False}}]
    assert [*outputs(infer(*tensors(ITEM), outputs=wanted))] == ["jailed"]
    for wrong in ([{"name": "eaten"}], [{}], ["jailed"], "jailed", [{"name": ["jailed"]}]):
        assert "output" in refused(infer(*tensors(ITEM), outputs=wrong))
    assert Prediction.objects.count() == 1


def test_every_kind_of_feature(models_dir, client, infer):
    lookup = {"place": {"A": 0, "B": 1}, "seen": 0, "armed": False, "spot": [0, 0], "size": 0}
    features = {
        "seen": {"type": "date"},
        "size": {"missing": True},
    }
    estimator = DummyClassifier().fit([[0] * 6] * 2, [0, 1])
    bundles.install(models_dir, estimator=estimator, lookup=lookup, metadata={"features": features})
    described = client.get(MODEL).json()["inputs"]
    assert {t["name"]: (t["datatype"], t["shape"]) for t in described} == {
        "place": ("BYTES", [-1]), "seen": ("BYTES", [-1]), "armed": ("BOOL", [-1]),
        "spot": ("FP64", [-1, 2]), "size": ("FP64", [-1]),
    }  # fmt: skip
    given = [
        tensor("place", "A", "B"),
        tensor("seen", "2026-01-02", "2026-01-03"),
        tensor("armed", True, 0.0, datatype="BOOL", shape=[2, 1]),
        tensor("spot", 1, 2, 3, 4, shape=[2, 2]),
    ]
    sizes = tensor("size", 5.0, None)
    nested = [*given[:3], tensor("spot", [1, 2], [3, 4], shape=[2, 2])]
    for inputs in ([*given, sizes], [*nested, sizes], given):
        assert outputs(infer(*inputs))["escapes"] == [0.5, 0.5]
    second = in_order("inputs")[1]
    assert second["armed"] is False
    assert second["spot"] == [3, 4]
    assert second["size"] is None
    bad = tensor("spot", 1, 2, 3, shape=[2, 2])
    assert "must have the shape [n, 2]" in refused(infer(*given[:3], bad, sizes))
    assert "[1].armed: " in refused(infer(*given[:2], tensor("armed", True, 2, datatype="BOOL"),
                                          given[3], sizes))  # fmt: skip


def test_a_flag_may_be_called_id(models_dir, client, infer):
    bundles.install(models_dir, flags=["id", "jailed"], metadata={})
    assert [t["datatype"] for t in client.get(MODEL).json()["outputs"]] == ["FP64", "FP64"]
    assert [*outputs(infer(*tensors(ITEM)))] == ["id", "jailed"]


def test_sent_again_it_is_answered_again(arkham, infer):
    headers = {"Idempotency-Key": "once", "X-Reference": "case 42"}
    first, again = (infer(*tensors(ITEM, OTHER), headers=headers) for _ in range(2))
    assert outputs(first) == outputs(again)
    assert [*Prediction.objects.values_list("reference", flat=True)] == ["case 42"] * 2
    assert "another request" in refused(infer(*tensors(ITEM), headers=headers), 422)


def test_callers_are_let_in_as_everywhere(arkham, client, infer, settings):
    settings.API_KEY_REQUIRED = True
    client.handler.load_middleware()
    for path in ("/v2", MODEL, f"{MODEL}/ready"):
        assert "send an API key" in refused(client.get(path), 401)
    keyless = infer(*tensors(ITEM))
    assert "send an API key" in refused(keyless, 401)
    assert keyless["WWW-Authenticate"].startswith("Api-Key")
    _, key = ApiKey.objects.create_key(name="Gordon", rate="4/minute")
    cache.clear()
    many = [ITEM] * 201
    answered = infer(*tensors(*many), headers={"X-API-Key": key})  # counts as three
    assert answered["RateLimit"].startswith('"requests";r=1')
    assert len(outputs(answered)["id"]) == 201
    assert set(Prediction.objects.values_list("caller", flat=True)) == {"Gordon"}
    over = infer(*tensors(*many), headers={"X-API-Key": key})
    assert "201 rows count as 3" in refused(over, 429)
    assert int(over["Retry-After"]) > 0
    cache.clear()


def test_what_is_not_there(arkham, client):
    assert "there is nothing at /v2/nothing" in refused(client.get("/v2/nothing"), 404)
    wrong = client.delete(MODEL)
    assert refused(wrong, 405)
    assert "GET" in wrong["Allow"]
    assert refused(client.post("/v2/health/ready"), 405)
    assert client.get("/v2-beta/").content.startswith(b"<!doctype")  # a page's address


def test_the_document_leaves_it_to_the_protocol(arkham, client):
    assert not [p for p in client.get("/swagger.json").json()["paths"] if p.startswith("/v2")]


def test_a_model_of_that_name_is_named_by_the_checks_and_by_answers(models_dir, client, settings):
    bundles.install(models_dir)
    assert not warned("W008")
    (models_dir / "arkham").rename(models_dir / "v2")
    rule = "'v2' cannot name a model: the server has a route of that name"
    assert warned("W008") == [f"A model in {models_dir} is not served: {rule}."]
    settings.MODELS = ["v2"]
    serving.cache_clear()
    assert refused(client.get("/v2/models/v2"), 503) == rule
    assert client.get("/api/models/v2/info").json()["detail"] == rule
