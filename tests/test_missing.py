"""A value that is missing, over every exit that shows, compares or passes values on."""

import csv
import io

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from predictor.artifacts.contract import build_contract
from predictor.models import Prediction
from predictor.serving.shared_inputs import SharedInputs
from tests import bundles
from tests.artifacts.asking import ask_one

pytestmark = pytest.mark.django_db
LOOKUP = {"city": {"Gotham": 0, "York": 1}, "count": 0, "level": 0, "size": {"s": 0, "m": 1}}
DESCRIBED = {
    "city": {"missing": True, "default": "York"},
    "count": {"type": "integer", "minimum": 0, "maximum": 3, "missing": True},
    "level": {"minimum": 0, "maximum": 9},
}
UNKNOWN = {"count": 1, "level": 2, "size": "s"}


@pytest.fixture
def served(models_dir):
    rows = np.array(
        [[0, 1, 2, 0], [1, 2, 3, 1], [np.nan, 1, 2, 1], [0, np.nan, 2, 0], [1, 3, 4, 1]] * 9
    )
    estimator = DecisionTreeClassifier(random_state=0).fit(rows, np.isnan(rows[:, 0]))
    bundles.install(models_dir, "m", "1", estimator, LOOKUP, ["no", "yes"], {"features": DESCRIBED})


def test_what_if_has_it_as_one_more_value(served, client):
    asked = client.get("/api/models/m/compare", UNKNOWN | {"vary": "city"}).json()["options"]
    shown = [(o["value"], o["shown"], o["current"], o["scores"]["yes"]) for o in asked]
    assert shown == [("Gotham", "Gotham", False, 0), ("York", "York", False, 0),
                     (None, "unknown", True, 1)]  # fmt: skip
    page = client.get("/m/?city=York&count=1&level=2&size=s&vary=city").content.decode()
    assert 'href="?city=&amp;count=1&amp;level=2&amp;size=s&amp;vary=city#what-if"' in page


def test_the_map_has_it_as_a_row_and_can_hold_it(served, client):
    page = client.get("/m/map?rows=city&columns=count&level=2").content.decode()
    assert page.count("unknown</") == 2  # a row, and a column's head
    asked = "rows=count&columns=size&level=2"
    known, unknown = (client.get(f"/m/map.csv?{asked}{city}") for city in ("", "&city="))
    assert known.content != unknown.content
    page = client.get(f"/m/map?{asked}&city=").content.decode()
    assert '<option value="York" selected>' not in page


def test_a_link_says_it_although_there_is_a_default(served, client):
    page = client.get("/m/?city=&count=1&level=2").content.decode()
    assert '<option value="York" selected>' not in page
    assert '<option value="York" selected>' in client.get("/m/?count=1&level=2").content.decode()


def test_the_log_and_its_exports_have_its_column(served, client, admin_client):
    ask_one(client, "m", UNKNOWN)
    assert Prediction.objects.get().inputs == UNKNOWN | {"city": None}
    answer = admin_client.get("/admin/predictor/prediction/export/csv/")
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert row["inputs.city"] == ""


def test_versions_are_compared_with_it():
    contract = build_contract(LOOKUP, ["no", "yes"], {"features": DESCRIBED})
    items = [old for old, _ in SharedInputs(contract, contract).items()]
    assert {item.get("city") for item in items} == {"Gotham", "York", None}
    assert {item.get("count") for item in items} == {0, 1, 2, 3, None}
