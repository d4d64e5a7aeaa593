"""GET /api/models/{name}/compare: the model's sensitivity to one feature."""

import pytest
from sklearn.dummy import DummyClassifier

from predictor.artifacts.contract import build_contract
from predictor.artifacts.errors import Abstention
from predictor.artifacts.version import ModelVersion
from predictor.models import Prediction
from predictor.predictions.sensitivity import choices_to_compare
from tests import bundles
from tests.bundles import CITIES, FLAGS, ITEM

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


def wind(models_dir, described, **more):
    """Arkham with another hour, which has no list of values."""
    bundles.install(models_dir, metadata={"features": {"hour": described}, **more})


def values(answer):
    return [option["value"] for option in answer["options"]]


@pytest.mark.parametrize(
    ("described", "ends"),
    [
        ({"minimum": 0, "maximum": 1}, (0, 1)),
        ({"minimum": -7.3, "maximum": 0.12}, (-7.3, 0.12)),
        ({"minimum": 1900, "maximum": 2020}, (1900, 2020)),
        ({"minimum": 1e15, "maximum": 1e15 + 1}, (1e15, 1e15 + 1)),
        ({"minimum": -1e308, "maximum": 1e308}, (-1e308, 1e308)),
        ({"minimum": 0.5, "maximum": 300.5, "integer": True}, (1, 300)),
        ({"minimum": -1e30, "maximum": 1e30, "integer": True}, (-(2**63), 2**63 - 1024)),
    ],
)
def test_a_number_is_varied_between_its_bounds(described, ends):
    contract = build_contract({"hour": 0}, FLAGS, {"features": {"hour": described}})
    feature = contract.features[0]
    points = [value for value, _ in choices_to_compare(contract, feature)]
    assert points == sorted(set(points))
    assert 5 < len(points) <= 25
    assert (points[0], points[-1]) == ends
    assert [feature.reader()(point) for point in points] == points


def test_the_points_of_a_number_are_scored(models_dir, client, post):
    wind(models_dir, {"minimum": 0, "maximum": 40})
    answer = client.get(URL, ITEM | {"hour": "13.3", "vary": "hour"}).json()
    assert answer["range"] == {"low": 0, "high": 40, "source": "bounds"}
    assert answer["gaps"] == []
    assert values(answer)[:4] == [0, 2, 4, 6]
    assert [o["value"] for o in answer["options"] if o["current"]] == [13.3]
    for option in answer["options"][::7]:
        assert option["scores"] == pytest.approx(post(ITEM | {"hour": option["value"]}).json())


def test_without_bounds_it_is_varied_over_the_training_data(models_dir, client):
    wind(models_dir, {"minimum": 0}, baseline={"hour": {"4": 0.5, "9.5": 0.1, "-3": 0.4}})
    answer = client.get(URL, ITEM | {"hour": 99, "vary": "hour"}).json()
    assert answer["range"] == {"low": 4, "high": 9.5, "source": "training"}
    assert (values(answer)[0], values(answer)[-1]) == (4, 9.5)
    assert not any(option["current"] for option in answer["options"])


def test_where_there_is_no_answer_is_a_gap(models_dir, client, monkeypatch):
    wind(models_dir, {"minimum": 0, "maximum": 4, "missing": True})
    score = ModelVersion.score

    def silent(model, rows):
        for place, row in enumerate(rows):
            if row[2] is None or 1 < row[2] < 2:
                raise Abstention("too calm", ["hour"], place)
        return score(model, rows)

    monkeypatch.setattr(ModelVersion, "score", silent)
    answer = client.get(URL, ITEM | {"vary": "hour"}).json()
    assert answer["gaps"] == [1.2, 1.4, 1.6, 1.8, None]
    assert not set(answer["gaps"]) & set(values(answer))
    monkeypatch.setattr(ModelVersion, "score", lambda model, rows: silent(model, [(0, 0, None)]))
    assert client.get(URL, ITEM | {"vary": "hour"}).status_code == 422


def test_it_is_in_the_document(arkham, client):
    operation = client.get("/swagger.json").json()["paths"][URL]["get"]
    assert [p["name"] for p in operation["parameters"]] == ["vary", "city", "villain", "hour"]
    assert operation["parameters"][0]["schema"]["enum"] == ["city", "villain", "hour"]


@pytest.mark.slow
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
