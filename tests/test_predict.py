"""POST /api/predict: the main job."""

from types import SimpleNamespace
from uuid import UUID

import pytest

from predictor.models import Prediction
from predictor.predictions.predict import _shown
from tests import bundles
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db


def test_it_works(arkham, post):
    response = post(ITEM)
    assert response.status_code == 200
    scores = response.json()
    assert list(scores) == ["escapes", "jailed"]
    assert sum(scores.values()) == pytest.approx(1)
    assert response["X-Model-Version"] == "1.0.0"
    row = Prediction.objects.get()
    assert row.id == UUID(response["X-Prediction-Id"])
    assert (row.model, row.version, row.inputs, row.scores) == ("arkham", "1.0.0", ITEM, scores)
    assert (row.source, row.top_flag) == ("api", max(scores, key=scores.get))


def test_it_gives_the_estimators_own_numbers(arkham, post):
    own = bundles.fitted().predict_proba([[0, 0, 3]])[0]
    assert list(post(ITEM).json().values()) == own.tolist()


def test_it_answers_an_array_in_order(arkham, post):
    items = [ITEM | {"hour": hour} for hour in (0, 12, 23)]
    response = post(items)
    assert response.json() == [post(item).json() for item in items]
    first, second, third = Prediction.objects.order_by("id")[:3]
    assert [row.inputs for row in (first, second, third)] == items
    assert str(first.id) == response["X-Prediction-Id"]


def test_what_is_alike_to_the_bit_is_written_once():
    """-0.0 equals 0.0, and is another answer."""
    model = SimpleNamespace(contract=SimpleNamespace(flag_names=["price"]))
    first, second, third = _shown(model, [[0.0], [-0.0], [0.0]])
    assert first is third
    assert [first.text, second.text] == ['{"price":0.0}', '{"price":-0.0}']


def test_it_answers_alike_what_is_asked_twice(arkham, post):
    items = [ITEM, ITEM | {"hour": 4}, ITEM]
    first, second, third = post(items).json()
    assert first == third != second
    rows = Prediction.objects.order_by("id")
    assert [row.scores for row in rows] == [first, second, first]
    assert [row.top_flag for row in rows] == [max(s, key=s.get) for s in (first, second, first)]


def test_it_answers_for_each_model_by_name(arkham, models_dir, post):
    bundles.install(models_dir, "blackgate", "2.1.0", flags=["out", "in"], metadata={})
    assert list(post(ITEM, "/api/models/blackgate/predict").json()) == ["out", "in"]
    assert list(post(ITEM, "/api/models/arkham/predict").json()) == ["escapes", "jailed"]
    assert set(Prediction.objects.values_list("model", flat=True)) == {"arkham", "blackgate"}


def test_it_serves_the_highest_version(arkham, models_dir, post):
    bundles.install(models_dir, version="1.10.0")
    bundles.install(models_dir, version="1.9.0")
    assert post(ITEM)["X-Model-Version"] == "1.10.0"


def test_it_keeps_the_callers_reference(arkham, post):
    post(ITEM, **{"X-Reference": "case 27"})
    assert Prediction.objects.get().reference == "case 27"


def test_it_says_when_there_is_no_model(models_dir, post):
    response = post(ITEM)
    assert response.status_code == 503
    assert "no model is installed" in response.json()["detail"]


def test_it_suggests_the_model_that_was_meant(arkham, post):
    response = post(ITEM, "/api/models/arkam/predict")
    assert response.status_code == 404
    assert response.json()["detail"] == "there is no model 'arkam'; did you mean 'arkham'?"
    assert not Prediction.objects.exists()
