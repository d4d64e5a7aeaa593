"""Who asked: every row of the log says how it was asked, who asked, and under which reference."""

from pathlib import Path

import pytest

from predictor.keys.models import ApiKey
from predictor.log.privacy import pseudonym
from predictor.models import Prediction
from predictor.spreadsheets.xlsx import workbook
from tests.bundles import ITEM
from tests.routes import address, routes
from tests.tensors import tensors

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "203.0.113.9"
CSV = b"city,villain,hour\r\nGotham,Joker,3\r\nMetropolis,Penguin,4\r\n"
V2 = "/v2/models/arkham"
WORKBOOK = b"".join(workbook(list(ITEM), [list(ITEM.values())]))
TENSORS = {"inputs": tensors(ITEM)}
FORM = "application/x-www-form-urlencoded"
DOORS = {
    "item": ("/api/predict", ITEM, "application/json", "api"),
    "array": ("/api/predict", [ITEM, ITEM], "application/json", "api"),
    "model by name": ("/api/models/arkham/predict", ITEM, "application/json", "api"),
    "tensors": (f"{V2}/infer", TENSORS, "application/json", "api"),
    "tensors for a version": (f"{V2}/versions/1.0.0/infer", TENSORS, "application/json", "api"),
    "CSV": ("/api/predict", CSV, "text/csv", "csv"),
    "page": ("/", "city=Gotham&villain=Joker&hour=3", FORM, "page"),
    "page by name": ("/arkham/", "city=Gotham&villain=Joker&hour=3", FORM, "page"),
    "page's upload": ("/arkham/bulk", CSV, "text/csv", "csv"),
    "page's upload of a workbook": ("/arkham/bulk", WORKBOOK, "text/csv", "csv"),
}
each_door = pytest.mark.parametrize(("path", "body", "kind", "source"), DOORS.values(), ids=DOORS)


def ask(client, path, body, kind, **headers):
    answered = client.post(path, body, kind, headers=headers, REMOTE_ADDR=ADDRESS)
    assert answered.status_code == 200
    return answered.getvalue()  # rows of a CSV are written while they are read


def origins():
    return set(Prediction.objects.values_list("source", "caller", "reference"))


@each_door
def test_every_door_says_who_asked(arkham, client, path, body, kind, source):
    ask(client, path, body, kind, **{"X-Reference": "case 42"})
    assert origins() == {(source, pseudonym(ADDRESS), "case 42")}


@each_door
def test_a_reference_of_over_200_characters_is_refused(arkham, client, path, body, kind, source):
    longest, longer = ("é".encode().decode("latin-1") * count for count in (200, 201))
    ask(client, path, body, kind, **{"X-Reference": longest})
    Prediction.objects.all().delete()
    answered = client.post(path, body, kind, headers={"X-Reference": longer})
    assert answered.status_code == 400
    assert "a reference has at most 200 characters, not 201" in answered.content.decode()
    assert not Prediction.objects.exists()


def test_the_document_says_how_long_a_reference_may_be(arkham, client):
    document = client.get("/swagger.json").json()
    for path in ("/api/predict", "/api/models/arkham/predict"):
        parameters = {p["name"]: p for p in document["paths"][path]["post"]["parameters"]}
        assert parameters["X-Reference"]["in"] == "header"
        assert parameters["X-Reference"]["schema"]["maxLength"] == 200


@pytest.mark.parametrize("door", ["item", "array", "tensors", "CSV"])
def test_a_key_is_named(arkham, client, door):
    _, key = ApiKey.objects.create_key(name="Gordon")
    path, body, kind, source = DOORS[door]
    ask(client, path, body, kind, **{"X-API-Key": key})
    assert origins() == {(source, "Gordon", "")}


SCORE_NOTHING = ("/language", "/arkham/bulk/preview")


@pytest.mark.slow
def test_no_other_route_writes_rows(arkham, client):
    doors = {path for path, *_ in DOORS.values()}
    bodies = {(kind, str(body)): (body, kind) for _, body, kind, _ in DOORS.values()}
    for path in {address(pattern) for pattern in routes()} - doors:
        for body, kind in bodies.values():
            answered = client.post(path, body, kind)
            assert not Prediction.objects.exists(), f"{path} is a door: test it above"
            assert answered.status_code >= 400 or path in SCORE_NOTHING, path


def test_there_is_one_way_to_make_an_asker():
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("predictor", "batclient")
        for path in (ROOT / folder).rglob("*.py")
        if " Origin(" in path.read_text()
    ]
    assert found == ["predictor/predictions/origin.py"]
