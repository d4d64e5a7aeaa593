"""Refusing is cheap: no request within the size limit takes the server seconds to say no to."""

import time

import pytest

from tests import bundles

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

MANY = 10_000
NAME = "Label number {} of the many there are"


@pytest.fixture
def wide(models_dir):
    """A model of one feature with 10,000 labels that all look alike."""
    lookup = {"city": {NAME.format(n): n for n in range(MANY)}, "villain": 0, "hour": 0}
    bundles.install(models_dir, lookup=lookup, metadata={})


def item(city):
    return {"city": city, "villain": 1, "hour": 1}


COSTLY = {
    "near misses": [item(NAME.format(f"{n}s")) for n in range(1000)],
    "unknown fields": {f"cty {n}": n for n in range(100_000)},
    "items of nothing": [{}] * 1000,
    "twin keys": "{" + ",".join(f'"k{n}":1' for n in range(150_000)) + ',"k7":1}',
    "long numbers": "[" + ",".join(["9" * 4000] * 500) + "]",
    "deep": '{"a":' * 300_000,
}


@pytest.mark.parametrize("body", COSTLY.values(), ids=COSTLY)
def test_json_is_refused_quickly(wide, post, body):
    post(item("x"))  # loads the model
    started = time.process_time()
    assert post(body).status_code == 400
    assert (
        time.process_time() - started < 4
    )  # of the processor; it was 10 s to hours where something was quadratic


COSTLY_CSV = {
    "columns": b"a," * 500_000 + b"\n1",
    "column names": b",".join(b"ciry %d" % n for n in range(100_000)) + b"\n1",
}


@pytest.mark.parametrize("body", COSTLY_CSV.values(), ids=COSTLY_CSV)
def test_csv_is_refused_quickly(wide, client, body):
    started = time.process_time()
    assert client.post("/api/predict", body, content_type="text/csv").status_code == 400
    assert time.process_time() - started < 4


def test_the_first_wrong_fields_get_a_suggestion(wide, post):
    errors = post([item(NAME.format(f"{n}s")) for n in range(60)]).json()["errors"]
    assert len(errors) == 50
    assert len([error for error in errors if "suggestion" in error]) == 5
