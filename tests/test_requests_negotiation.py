"""Content-Type and Accept: a request is answered only if both can be met."""

import json

import pytest

from predictor.models import Prediction
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db
JSON = json.dumps(ITEM).encode()
CSV = b"city,villain,hour\r\nGotham,Joker,3\r\n"


def ask(client, body, content_type, **headers):
    return client.generic("POST", "/api/predict", body, content_type, headers=headers)


def check_refused(response, status, words):
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    problem = json.loads(response.content)
    assert problem["status"] == status
    assert words in problem["detail"]
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json; version=1",
    ],
)
def test_it_works(arkham, client, content_type):
    assert ask(client, JSON, content_type).status_code == 200


WRONG_TYPES = [
    "", ";", "/", "json", "*/*", "application/*", "text/*", "text/json", "text/plain",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/json, text/csv", "application/problem+json",
]  # fmt: skip


@pytest.mark.parametrize("content_type", WRONG_TYPES)
def test_it_refuses_another_type_and_names_those_it_reads(arkham, client, content_type):
    check_refused(ask(client, JSON, content_type), 415, "application/json or text/csv")


@pytest.mark.parametrize(
    ("body", "kind", "charset"),
    [
        *((JSON, "application/json", charset) for charset in ("latin1", "utf-16", "nope")),
        *((CSV, "text/csv", charset) for charset in ("latin1", "windows-1252", "nope")),
    ],
)
def test_it_refuses_another_charset(arkham, client, body, kind, charset):
    check_refused(ask(client, body, f"{kind}; charset={charset}"), 400, charset)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "gzip, identity"])
def test_it_refuses_compressed_bodies(arkham, client, coding):
    response = ask(client, JSON, "application/json", **{"Content-Encoding": coding})
    check_refused(response, 415, "compressed")


def test_it_reads_what_is_said_to_be_plain(arkham, client):
    response = ask(client, JSON, "application/json", **{"Content-Encoding": "Identity"})
    assert response.status_code == 200


TAKEN = [
    "", "*/*", "application/*", "application/json;q=0.001", "APPLICATION/JSON",
    "text/html, */*;q=0.1", "text/csv, */*;q=0.1",
    "text/csv;q=0, application/json", "*/*;q=0, application/json",
]  # fmt: skip


@pytest.mark.parametrize("accept", TAKEN)
def test_json_is_answered_with_json(arkham, client, accept):
    response = ask(client, JSON, "application/json", Accept=accept)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"


NOT_TAKEN = [
    "text/html", "text/csv", "text/*", "garbage", "application/json;q=0", "*/*;q=0",
    "application/json;q=0.000, */*", "application/problem+json", "a/b," * 2000,
]  # fmt: skip


@pytest.mark.parametrize("accept", NOT_TAKEN)
def test_json_is_not_answered_to_who_rules_it_out(arkham, client, accept):
    response = ask(client, JSON, "application/json", Accept=accept)
    check_refused(response, 406, "application/json")


def test_csv_is_answered_with_csv_or_not_at_all(arkham, client):
    answer = ask(client, CSV, "text/csv", Accept="text/*")
    assert b"".join(answer.streaming_content).startswith(b"city,villain,hour,escapes")
    Prediction.objects.all().delete()
    check_refused(ask(client, CSV, "text/csv", Accept="application/json"), 406, "text/csv")


@pytest.mark.parametrize("content_type", ["text/csv", "application/json; charset=utf-8"])
def test_an_empty_body_is_called_empty(arkham, client, content_type):
    check_refused(ask(client, b"", content_type), 400, "the body is empty")


@pytest.mark.parametrize("path", ["/api/docs", "/swagger.json", "/api/info", "/api/predict/params"])
def test_refusals_are_problems_everywhere(arkham, client, path):
    for response, status in [
        (client.delete(path), 405),
        (client.get(path, headers={"Accept": "image/png"}), 406),
    ]:
        assert response.status_code == status
        assert response["Content-Type"] == "application/problem+json"
        assert json.loads(response.content)["status"] == status


def test_details_are_asked_for_once(arkham, client):
    for query in ("details=true&details=false", "details=", "details=1"):
        response = client.post(f"/api/predict?{query}", JSON, "application/json")
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "details"


SENTENCES = {
    "byte order mark": (b"\xef\xbb\xbf" + JSON, "the body begins with a byte order mark"),
    "open text": (b'{"city": "Got', "Unterminated string starting at line 1 column 10"),
    "no object": (b"3", "expected an object with 'city', 'villain', 'hour'"),
}


@pytest.mark.parametrize(("body", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_it_says_what_is_wrong_in_plain_words(arkham, client, body, sentence):
    detail = ask(client, body, "application/json").json()["detail"]
    assert sentence in detail
    assert not detail.startswith(":")


def test_an_array_of_one_names_its_item_too(arkham, client):
    response = ask(client, b'[{"city": "Gotham", "villain": "Joker"}]', "application/json")
    assert response.json()["errors"][0]["field"] == "[0].hour"


def test_a_reference_is_kept_as_it_was_written(arkham, client):
    """Headers are bytes; programs write UTF-8 into them, and some Latin-1."""
    for sent, kept in [("Müller".encode().decode("latin-1"), "Müller"), ("caf\xe9", "café")]:
        assert ask(client, JSON, "application/json", **{"X-Reference": sent}).status_code == 200
        assert Prediction.objects.latest("id").reference == kept
