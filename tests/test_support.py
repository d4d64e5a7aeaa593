"""?details=true: the evidence behind an answer, from support.json."""

import json

import pytest

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.version import load_version
from tests import bundles
from tests.bundles import CITIES, ITEM
from tests.sweeps import swept

pytestmark = pytest.mark.django_db

# two cities and all villains: the table does not distinguish the other city, or hours
TABLE = {
    "n_note": "escapes on record",
    "interval_note": "the share in 95 of 100 nights",
    "features": {"villain": list(bundles.LOOKUP["villain"]), "city": CITIES[:2]},
    "n": [10, 11, 20, 21, 30, 31, 40, 41],
    "interval": {
        "escapes": {"low": [0.1] * 8, "high": [0.1 + i / 10 for i in range(8)]},
        "jailed": {"low": [0.5] * 8, "high": [0.75] * 8},
    },
}


@pytest.fixture
def gotham(models_dir):
    return bundles.install(models_dir, support=TABLE)


def test_it_works(gotham, post):
    plain = post(ITEM).json()
    assert list(plain) == bundles.FLAGS
    answer = post(ITEM, "/api/predict?details=true").json()
    assert answer == plain | {
        "details": {"n": 10, "interval": {"escapes": [0.1, 0.1], "jailed": [0.5, 0.75]}}
    }


def test_it_finds_each_item_of_an_array(gotham, post):
    items = [ITEM | {"city": "Metropolis", "villain": "Riddler"}, ITEM | {"city": "Blüdhaven"}]
    riddler, elsewhere = post(items, "/api/models/arkham/predict?details=true").json()
    assert riddler["details"]["n"] == 31
    assert riddler["details"]["interval"]["escapes"] == [0.1, 0.6]
    assert "details" not in elsewhere


def test_a_model_without_a_table_answers_as_ever(arkham, post):
    assert post(ITEM, "/api/predict?details=true").json() == post(ITEM).json()


def test_the_document_describes_it(gotham, client):
    document = client.get("/swagger.json").json()
    details = document["components"]["schemas"]["arkham.details"]
    assert details["properties"]["n"]["description"] == "escapes on record"
    assert details["properties"]["interval"]["required"] == bundles.FLAGS
    parameters = document["paths"]["/api/models/arkham/predict"]["post"]["parameters"]
    assert {"X-Reference", "details"} <= {parameter["name"] for parameter in parameters}


@pytest.mark.parametrize("asked", ["yes", "1", ""])
def test_it_rejects_other_values(gotham, post, asked):
    response = post(ITEM, f"/api/predict?details={asked}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "details"


def test_it_rejects_csv(gotham, client):
    response = client.post(
        "/api/predict?details=true", "city,villain,hour\nGotham,Joker,3\n", content_type="text/csv"
    )
    assert response.status_code == 400
    assert "JSON only" in response.json()["detail"]


def changed(**changes):
    return TABLE | changes


BROKEN = {
    "not an object": [],
    "no features": changed(features=None),
    "unknown feature": changed(features={"sidekick": ["Robin"]}),
    "unknown label": changed(features={"villain": ["Bane"], "city": CITIES}),
    "unhashable label": changed(features={"villain": [["Joker"]], "city": CITIES}),
    "label twice": changed(features={"villain": ["Joker"] * 4, "city": CITIES[:2]}),
    "labels in an object": changed(features={"villain": {}, "city": CITIES}),
    "too few": changed(n=[1, 2]),
    "below zero": changed(n=[-1] * 8),
    "true for a count": changed(n=[True] * 8),
    "too large": changed(n=[10**400] * 8),
    "flag missing": changed(interval={"escapes": TABLE["interval"]["escapes"]}),
    "low above high": changed(
        interval=TABLE["interval"] | {"jailed": {"low": [0.9] * 8, "high": [0.1] * 8}}
    ),
    "note is a number": changed(n_note=3),
    "too many cells": changed(features={"hour": list(range(500_001)), "city": CITIES[:2]}),
}


@pytest.mark.parametrize("table", swept(BROKEN, 2))
def test_it_rejects_a_broken_table(models_dir, table):
    folder = bundles.install(models_dir, support=table)
    with pytest.raises(ArtifactError, match=r"support\.json"):
        load_version(folder)


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b'{"n": NaN}', b"[" * 100_000], ids=["empty", "latin", "NaN", "deep"]
)
def test_it_rejects_what_is_not_json(models_dir, data):
    folder = bundles.install(models_dir)
    (folder / "support.json").write_bytes(data)
    with pytest.raises(ArtifactError, match=r"support\.json"):
        load_version(folder)


def test_it_rejects_an_altered_table(gotham):
    (gotham / "support.json").write_text(json.dumps(changed(n=[9] * 8)))
    with pytest.raises(ArtifactError, match="SHA-256"):
        load_version(gotham)


def test_it_rejects_a_flag_called_details(models_dir):
    interval = {"details": TABLE["interval"]["escapes"], "jailed": TABLE["interval"]["jailed"]}
    folder = bundles.install(
        models_dir,
        flags=["details", "jailed"],
        metadata=None,
        support=changed(interval=interval),
    )
    with pytest.raises(ArtifactError, match="details"):
        load_version(folder)
