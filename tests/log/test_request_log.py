"""Every request has an id; those that fail leave a line."""

import json
import logging

import pytest

from predictor.log import refusals
from predictor.models import Prediction, Refusal
from predictor.monitoring.log_lines import JSONLines, request_id, trace_of
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db


def test_it_works(arkham, post):
    assert post(ITEM, **{"X-Request-Id": "from-the-gateway-1"})["X-Request-Id"] == (
        "from-the-gateway-1"
    )
    made = post(ITEM)["X-Request-Id"]
    assert len(made) == 32
    assert post(ITEM)["X-Request-Id"] != made


@pytest.mark.parametrize("asked", ["", "a" * 65, "two words", "<b>", "ü"])
def test_it_rejects_an_odd_id(arkham, post, asked):
    assert post(ITEM, **{"X-Request-Id": asked})["X-Request-Id"] != asked


@pytest.mark.parametrize("path", ["/arkham/?" + "a=1&" * 1_001, "/arkham/?host"])
def test_a_refusal_leaves_no_trace(arkham, client, caplog, path):
    host = "evil.example" if path.endswith("host") else "testserver"
    assert client.get(path, headers={"host": host}).status_code == 400
    assert not [record for record in caplog.records if record.exc_info]
    assert "400" in caplog.text


def test_a_failure_leaves_a_line(arkham, post, caplog):
    post({"city": "Gotham"}, **{"X-Request-Id": "abc"})
    (record,) = [r for r in caplog.records if r.name == "predictor.http.request_log"]
    request_id.set("abc")
    line = json.loads(JSONLines().format(record))
    assert line["request_id"] == "abc"
    assert line["status"] == 400
    assert line["route"] == "api/predict"
    assert line["level"] == "INFO"


def test_a_line_holds_the_exception_and_stays_one_line():
    try:
        raise ValueError("a\nb")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "m %s", ("1",), None)
        import sys

        record.exc_info = sys.exc_info()
    text = JSONLines().format(record)
    assert "\n" not in text
    assert "ValueError: a" in json.loads(text)["exception"]


def counts():
    return {(r.kind, r.field, r.value): r.count for r in Refusal.objects.all()}


def test_what_was_refused_is_counted(arkham, post):
    for _ in range(3):
        post(ITEM | {"city": "Kent Constabulary"})
    post([ITEM, {"city": 3, "villain": "Joker", "colour": "red"}])
    post("{")
    refusals.flush()
    assert counts() == {
        ("unknown label", "city", "Kent Constabulary"): 3,
        ("wrong value", "city", ""): 1,
        ("missing field", "hour", ""): 1,
        ("unknown field", "", "colour"): 1,
        ("status 400", "", ""): 5,
    }


def test_a_csvs_refusals_count_too(arkham, client):
    client.post("/api/predict", b"city,villain,hour\nAtlantis,Joker,1\n", "text/csv")
    refusals.flush()
    assert counts()["unknown label", "city", "Atlantis"] == 1


def test_what_is_counted_is_bounded(arkham, post, monkeypatch):
    monkeypatch.setattr(refusals, "MAX_GATHERED", 3)
    monkeypatch.setattr(refusals, "MAX_KEPT", 4)
    for flush in range(2):
        for label in range(10):
            refusals.note("unknown label", "arkham", "city", f"{flush} {label}")
        refusals.flush()
    assert sum(counts().values()) == 20
    assert len(counts()) <= 5
    assert counts()["unknown label", "", refusals.OTHER] > 10


def test_counts_wait_for_a_database_that_is_away(monkeypatch):
    from django.db import DatabaseError

    refusals.note("unknown label", "arkham", "city", "Atlantis")
    with monkeypatch.context() as patch:

        def fails(key, count):
            raise DatabaseError("away")

        patch.setattr(refusals, "_add", fails)
        refusals.flush()
    refusals.flush()
    assert counts() == {("unknown label", "city", "Atlantis"): 1}


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_trace_is_on_record_and_on_the_page(arkham, post, admin_client):
    post(ITEM, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    row = Prediction.objects.get()
    assert row.trace == TRACE
    page = admin_client.get(f"/admin/predictor/prediction/{row.pk}/change/").content.decode()
    assert TRACE in page


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-00", TRACE),
        (f"cc-{TRACE}-00f067aa0ba902b7-01-what-comes-later", TRACE),
        (f"00-{TRACE}-00f067aa0ba902b7-01-more", ""),
        (f"ff-{TRACE}-00f067aa0ba902b7-01", ""),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", ""),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (f"00-{TRACE}\n-00f067aa0ba902b7-01", ""),
        (TRACE, ""),
        ("", ""),
    ],
)
def test_only_a_valid_traceparent_counts(header, found):
    assert trace_of(header) == found


def test_no_request_has_the_trace_of_the_one_before(arkham, post):
    post(ITEM, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    post(ITEM)
    assert sorted(Prediction.objects.values_list("trace", flat=True)) == ["", TRACE]


@pytest.mark.parametrize("asked", [False, True])
def test_every_request_leaves_a_line_where_asked_for(arkham, post, caplog, settings, asked):
    settings.ACCESS_LOG = asked
    post(ITEM)
    found = [r for r in caplog.records if r.name == "predictor.http.request_log"]
    assert len(found) == asked
