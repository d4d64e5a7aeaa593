"""?ids= and ?reference=: further columns for each row of an array or a CSV."""

import csv
import io
from uuid import UUID

import pytest
from sklearn.dummy import DummyClassifier

from predictor.models import Prediction
from tests import bundles
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db
ROWS = "city,villain,hour,order_no\r\nGotham,Joker,3,A-1\r\nMetropolis,Penguin,4, A-2 \r\n"


@pytest.fixture
def post_csv(client):
    def send(text, query="", **headers):
        answered = client.post(f"/api/predict{query}", text, "text/csv", headers=headers)
        body = answered.getvalue().decode()
        return answered, list(csv.DictReader(io.StringIO(body))) if answered.streaming else body

    return send


def references():
    return dict(Prediction.objects.values_list("id", "reference"))


def ids_in_order():
    return [
        str(identity) for identity in Prediction.objects.order_by("id").values_list("id", flat=1)
    ]


def test_each_item_of_an_array_carries_its_id(arkham, post):
    answered = post([ITEM, ITEM | {"hour": 4}], "/api/predict?ids=true")
    assert [one["id"] for one in answered.json()] == ids_in_order()
    assert answered["X-Prediction-Id"] == ids_in_order()[0]
    assert list(answered.json()[0]) == ["id", *bundles.FLAGS]


def test_a_single_answer_carries_its_id_where_it_is_asked_for(arkham, post):
    answered = post(ITEM, "/api/predict?ids=true")
    assert answered.json()["id"] == answered["X-Prediction-Id"]
    assert list(post(ITEM).json()) == bundles.FLAGS


def test_details_of_an_array_bring_ids(arkham, post):
    assert [one["id"] for one in post([ITEM], "/api/predict?details=true").json()] == ids_in_order()
    assert "id" not in post(ITEM, "/api/predict?details=true").json()


def test_a_csv_gets_a_column_of_ids(arkham, post_csv):
    _, rows = post_csv(ROWS, "?ids=true")
    assert [row["id"] for row in rows] == ids_in_order()
    assert list(rows[0])[-3:] == [*bundles.FLAGS, "id"]


def test_an_item_has_a_reference_of_its_own_that_comes_back(arkham, post):
    items = [ITEM | {"order_no": "A-1"}, ITEM | {"order_no": 4711}, ITEM | {"order_no": None}]
    answered = post(items, "/api/predict?reference=order_no&ids=true", **{"X-Reference": "all"})
    assert [one["order_no"] for one in answered.json()] == ["A-1", 4711, None]
    kept = references()
    assert [kept[UUID(one["id"])] for one in answered.json()] == ["A-1", "4711", "all"]
    assert "order_no" not in Prediction.objects.first().inputs


def test_a_row_of_a_csv_has_one_too(arkham, post_csv):
    _, rows = post_csv(ROWS, "?reference=order_no&ids=true")
    assert [row["order_no"] for row in rows] == ["A-1", " A-2 "]
    kept = {str(identity): text for identity, text in references().items()}
    assert [kept[row["id"]] for row in rows] == ["A-1", "A-2"]


def test_a_single_item_has_one_too(arkham, post):
    assert post(ITEM | {"case": "x"}, "/api/predict?reference=case").json()["case"] == "x"
    assert list(references().values()) == ["x"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [("x" * 201, "at most 200 characters, not 201"), (1.5, "whole digits"), (True, "whole digits"),
     ([], "whole digits"), ({}, "whole digits"), (2**64, "whole digits")],
)  # fmt: skip
def test_it_rejects_what_is_no_reference(arkham, post, value, problem):
    items = [ITEM | {"ref": "fine"}, ITEM | {"ref": value, "villain": "Jokre"}]
    answered = post(items, "/api/predict?reference=ref")
    assert answered.status_code == 400
    errors = {error["field"]: error["message"] for error in answered.json()["errors"]}
    assert list(errors) == ["[1].ref", "[1].villain"]
    assert problem in errors["[1].ref"]
    assert not Prediction.objects.exists()


def test_it_rejects_half_a_character(arkham, post):
    body = b'{"city": "Gotham", "villain": "Joker", "hour": 3, "ref": "\\ud800"}'
    assert post(body, "/api/predict?reference=ref").status_code == 400


def test_it_names_a_missing_reference(arkham, post, post_csv):
    answered = post([ITEM], "/api/predict?reference=ref")
    assert [error["field"] for error in answered.json()["errors"]] == ["[0].ref"]
    answered, _ = post_csv(ROWS, "?reference=order_nr")
    assert answered.status_code == 400
    assert answered.json()["errors"][0] == {
        "field": "order_nr", "message": "the header has no such column", "suggestion": "order_no",
    }  # fmt: skip


def test_it_names_the_row_of_a_long_reference(arkham, post_csv):
    answered, _ = post_csv(ROWS + f"Gotham,Jokre,3,{'x' * 201}\r\n", "?reference=order_no")
    assert [e["field"] for e in answered.json()["errors"]] == ["row 4: order_no", "row 4: villain"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("reference=city", "reference"), ("reference=jailed", "reference"),
     ("reference=", "reference"), ("reference=a&reference=b", "reference"),
     ("ids=yes", "ids"), ("ids=true&ids=true", "ids"), ("ids=true&reference=id", "reference")],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["json", "csv"])
def test_it_rejects_odd_parameters(arkham, post, post_csv, query, field, kind):
    answered = (
        post(ITEM, f"/api/predict?{query}") if kind == "json" else post_csv(ROWS, f"?{query}")[0]
    )
    assert answered.status_code == 400
    assert answered.json()["errors"][0]["field"] == field
    assert not Prediction.objects.exists()


def test_a_model_may_have_an_output_called_id(models_dir, post, post_csv):
    bundles.install(models_dir, flags=["id", "jailed"], metadata={})
    assert set(post(ITEM).json()) == {"id", "jailed"}
    assert post(ITEM, "/api/predict?ids=true").json()["errors"][0]["field"] == "ids"
    assert post_csv(ROWS, "?ids=true")[0].json()["errors"][0]["field"] == "ids"


def test_a_column_that_the_model_reads_is_no_reference(models_dir, post_csv):
    lookup, estimator = {"spot": [0, 0]}, DummyClassifier().fit([[0, 0]] * 2, [0, 1])
    bundles.install(models_dir, estimator=estimator, lookup=lookup, metadata={})
    text = "spot[0],spot[1],no\r\n1,2,A\r\n"
    assert post_csv(text, "?reference=no")[0].status_code == 200
    refused, said = post_csv(text, "?reference=spot[0]")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "reference")
    assert "the model reads the column 'spot[0]'" in said


def test_a_file_with_a_column_id_keeps_it_unless_ids_are_asked_for(arkham, post_csv):
    text = ROWS.replace("order_no", "id")
    assert [row["id"] for row in post_csv(text)[1]] == ["A-1", " A-2 "]
    assert post_csv(text, "?ids=true")[0].json()["errors"][0]["field"] == "id"
