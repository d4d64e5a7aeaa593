"""Refusals of POST /api/predict: always 400, a problem document that names the field, no row."""

import json

import pytest

from predictor.models import Prediction
from tests.bundles import ITEM
from tests.sweeps import swept

pytestmark = pytest.mark.django_db


def item(**changes):
    return json.dumps(ITEM | changes)


def without(*names):
    return json.dumps({name: value for name, value in ITEM.items() if name not in names})


REFUSED = {
    "unknown label": (item(city="Gothom"), "city"),
    "code instead of a label": (item(city=9999), "city"),
    "true for a label": (item(city=True), "city"),
    "null for a label": (item(city=None), "city"),
    "list for a label": (item(city=["Gotham"]), "city"),
    "object for a label": (item(city={}), "city"),
    "label with NUL": (item(city="Gotham\0"), "city"),
    "half a surrogate pair": (ITEM | {"city": "\ud800"}, "city"),
    "other case": (item(city="gotham"), "city"),
    "trailing space": (item(city="Gotham "), "city"),
    "unknown field": (item(sidekick="Robin"), "sidekick"),
    "missing field": (without("hour"), "hour"),
    "no fields": ("{}", "city"),
    "true for a number": (item(hour=True), "hour"),
    "text for a number": (item(hour="3"), "hour"),
    "null for a number": (item(hour=None), "hour"),
    "too low": (item(hour=-1), "hour"),
    "too high": (item(hour=24), "hour"),
    "not whole": (item(hour=3.5), "hour"),
    "overflow": (item(hour=3).replace(": 3}", ": 1e400}"), "hour"),
    "400 digits": (item(hour=3).replace(": 3}", f": {'9' * 400}}}"), "hour"),
    "duplicate key": (
        '{"city": "Gotham", "city": "Gotham", "villain": "Joker", "hour": 3}',
        "city",
    ),
    "list of 1,001": (json.dumps([ITEM] * 1001), "[]"),
    "empty list": ("[]", "[]"),
    "list of lists": ("[[]]", "[0]"),
    "a number": ("3", ""),
    "text": ('"Gotham"', ""),
    "null": ("null", ""),
}
MALFORMED = {
    "empty body": b"",
    "blank body": b" \n",
    "cut off": b'{"city": "Got',
    "NaN": item().replace(": 3}", ": NaN}").encode(),
    "Infinity": item().replace(": 3}", ": Infinity}").encode(),
    "minus Infinity": item().replace(": 3}", ": -Infinity}").encode(),
    "5,000 digits": item().replace(": 3}", f": {'9' * 5000}}}").encode(),
    "deep": b"[" * 100_000,
    "latin-1": item(city="Blüdhaven").replace("\\u00fc", "ü").encode("latin-1"),
    "UTF-16": item().encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + item().encode(),
}


def check_refused(response, status=400):
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert not Prediction.objects.exists()
    return problem


@pytest.mark.parametrize(("body", "field"), swept(REFUSED, 10))
def test_it_names_the_wrong_field(arkham, post, body, field):
    problem = check_refused(post(body))
    assert problem["errors"][0]["field"] == field
    assert problem["errors"][0]["message"]


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_it_refuses_what_is_not_json(arkham, post, body):
    check_refused(post(body))


def test_it_suggests_what_was_meant(arkham, post):
    errors = check_refused(post(ITEM | {"city": "Gothom", "hour": "3", "vilain": 1}))["errors"]
    assert [(e["field"], e.get("suggestion")) for e in errors] == [
        ("city", "Gotham"),
        ("hour", 3),
        ("vilain", "villain"),
    ]
    assert errors[0]["message"] == '"Gothom" is not a known label; did you mean "Gotham"?'


def test_it_names_the_item_of_an_array(arkham, post):
    errors = check_refused(post([ITEM, ITEM | {"hour": 24}, 7]))["errors"]
    assert [e["field"] for e in errors] == ["[1].hour", "[2]"]


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "", "garbage"])
def test_it_reads_json_only(arkham, client, kind):
    check_refused(client.generic("POST", "/api/predict", item(), content_type=kind), status=415)


def test_it_reads_no_compressed_body(arkham, post):
    check_refused(post(ITEM, **{"Content-Encoding": "gzip"}), status=415)


def test_it_answers_no_other_type(arkham, post):
    check_refused(post(ITEM, Accept="image/png"), status=406)


def test_it_answers_post_only(arkham, client):
    response = client.get("/api/predict")
    check_refused(response, status=405)
    assert "POST" in response["Allow"]
