"""POST text/csv: a file in, the same file with the flags appended out."""

import csv
import io

import pytest

from predictor.models import Prediction
from tests import bundles
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db
CSV = "city,villain,hour\r\nGotham,Joker,3\r\nBlüdhaven,Penguin,22\r\n"


@pytest.fixture
def post_csv(client):
    def send(text, **headers):
        body = text if isinstance(text, bytes) else text.encode()
        return client.post("/api/predict", body, content_type="text/csv", headers=headers)

    return send


def rows_of(response):
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_it_works(arkham, post_csv, post):
    response = post_csv(CSV)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["X-Model-Version"] == "1.0.0"
    first, second = rows_of(response)
    assert list(first) == ["city", "villain", "hour", "escapes", "jailed"]
    assert second["city"] == "Blüdhaven"
    assert float(first["escapes"]) == post(ITEM).json()["escapes"]
    logged = Prediction.objects.filter(source="csv").order_by("id")
    assert [row.inputs["city"] for row in logged] == ["Gotham", "Blüdhaven"]
    assert str(logged[0].id) == response["X-Prediction-Id"]


def test_it_passes_other_columns_through_in_any_order(arkham, post_csv):
    text = "\ufeffcase,hour,villain,city\n27,3,Joker,Gotham\n\n"
    (row,) = rows_of(post_csv(text, Accept="text/csv"))
    assert list(row)[:4] == ["case", "hour", "villain", "city"]
    assert row["case"] == "27"


@pytest.mark.slow
def test_it_answers_more_rows_than_a_batch(arkham, post_csv):
    text = "city,villain,hour\n" + "Gotham,Joker,3\n" * 2_500
    assert len(rows_of(post_csv(text))) == 2_500
    assert Prediction.objects.count() == 2_500


REFUSED = {
    "unknown label": (CSV.replace("Joker", "Jokr"), "row 2: villain"),
    "not a number": (CSV.replace("22", "late"), "row 3: hour"),
    "empty cell": (CSV.replace("22", ""), "row 3: hour"),
    "missing column": ("city,villain\nGotham,Joker\n", "hour"),
    "short row": (CSV + "Gotham\n", "row 4"),
    "long row": (CSV + "Gotham,Joker,3,4\n", "row 4"),
    "column twice": ("city,city,villain,hour\n", "city"),
    "flag as a column": ("city,villain,hour,jailed\n", "jailed"),
}


@pytest.mark.parametrize(("text", "field"), REFUSED.values(), ids=REFUSED)
def test_it_rejects_and_names_the_row(arkham, post_csv, text, field):
    response = post_csv(text)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["errors"][0]["field"] == field
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"city,villain,hour\n", "Blüdhaven".encode("utf-16"), b'city,villain,hour\n"Gotham'],
    ids=["empty", "header only", "UTF-16", "open quote"],
)
def test_it_rejects_what_is_no_csv(arkham, post_csv, body):
    response = post_csv(body)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


SENTENCES = {
    "Latin-1": (CSV.encode("latin-1"), "not UTF-8: line 3 cannot be read"),
    "open quote": (CSV.encode() + b'"Gotham,Joker,3\r\n', "at line 4: a quote opens there"),
    "blank first": (b"\r\n" + CSV.encode(), "first row is empty"),
    "a number only Python reads": (CSV.replace("22", "1_0").encode(), 'not the text "1_0"'),
}


@pytest.mark.parametrize(("body", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_it_says_where_and_what_is_wrong(arkham, post_csv, body, sentence):
    response = post_csv(body)
    assert response.status_code == 400
    assert sentence in response.json()["detail"]


def test_a_flag_is_no_formula(models_dir, post_csv):
    """The caller's cells come back unchanged; the model's texts are escaped."""
    bundles.install(models_dir, flags=["=HYPERLINK(1)", "jailed"], metadata={})
    (row,) = rows_of(post_csv("city,villain,hour,=note\nGotham,Joker,3,=1+1\n"))
    assert list(row)[3:] == ["=note", "'=HYPERLINK(1)", "jailed"]
    assert row["=note"] == "=1+1"


def test_it_rejects_json_for_csv(arkham, post):
    assert post(ITEM, Accept="text/csv").status_code == 406
