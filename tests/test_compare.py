"""GET /api/models/{name}/compare: the model's sensitivity to one feature."""

import pytest
from sklearn.dummy import DummyClassifier

from predictor.models import Prediction
from tests import bundles
from tests.bundles import CITIES, ITEM

pytestmark = pytest.mark.django_db
URL = "/api/models/arkham/compare"


def test_it_works(arkham, client, post):
    answer = client.get(URL, ITEM | {"vary": "city"}).json()
    assert answer["vary"] == "city"
    assert [option["value"] for option in answer["options"]] == CITIES
    assert [option["current"] for option in answer["options"]] == [True, False, False]
    for option in answer["options"]:
        assert option["scores"] == pytest.approx(post(ITEM | {"city": option["value"]}).json())


def test_it_puts_nothing_on_record(arkham, client):
    assert client.get(URL, ITEM | {"vary": "city"}).status_code == 200
    assert not Prediction.objects.exists()


def test_the_varied_feature_may_be_left_out(arkham, client):
    answer = client.get(URL, {"city": "Gotham", "villain": "Joker", "vary": "hour"}).json()
    assert [option["value"] for option in answer["options"]] == list(range(24))
    assert not any(option["current"] for option in answer["options"])


def test_names_of_numbers_are_shown(models_dir, client):
    metadata = {"features": {"hour": {"labels": {"0": "midnight", "12": "noon"}}}}
    bundles.install(models_dir, metadata=metadata)
    answer = client.get(URL, ITEM | {"hour": 12, "vary": "hour"}).json()
    shown = [(o["value"], o["shown"], o["current"]) for o in answer["options"]]
    assert shown == [(0, "midnight", False), (12, "noon", True)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "vary"),
        ({"vary": "planet"}, "vary"),
        ({"vary": "city", "villain": "Joker"}, "hour"),
        ({"vary": "city", **ITEM, "hour": 99}, "hour"),
        ({"vary": "city", **ITEM, "city": "Gothem"}, "city"),
        ({"vary": "city", **ITEM, "planet": "Earth"}, "planet"),
    ],
)
def test_it_rejects_a_wrong_question(arkham, client, query, field):
    answer = client.get(URL, query)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_number_without_bounds_has_no_list(models_dir, client):
    bundles.install(models_dir, metadata={})
    answer = client.get(URL, ITEM | {"vary": "hour"})
    assert answer.status_code == 400
    assert "city, villain" in answer.json()["detail"]


def test_it_is_in_the_document(arkham, client):
    operation = client.get("/swagger.json").json()["paths"][URL]["get"]
    assert [p["name"] for p in operation["parameters"]] == ["vary", "city", "villain", "hour"]
    assert operation["parameters"][0]["schema"]["enum"] == ["city", "villain", "hour"]


def test_a_feature_may_be_called_vary(models_dir, client):
    lookup = {"vary": {"a": 0, "b": 1}, "_vary": {"c": 0, "d": 1}}
    estimator = DummyClassifier().fit([[0, 0], [1, 1]], [0, 1])
    bundles.install(models_dir, lookup=lookup, metadata={}, estimator=estimator)
    answer = client.get(URL, {"vary": "_vary", "_vary": "b", "__vary": "c"})
    assert [(o["value"], o["current"]) for o in answer.json()["options"]] == [
        ("c", True),
        ("d", False),
    ]
    operation = client.get("/swagger.json").json()["paths"]["/api/models/arkham/compare"]["get"]
    assert [p["name"] for p in operation["parameters"]] == ["vary", "_vary", "__vary"]
