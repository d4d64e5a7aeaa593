"""A value that is missing, over every exit that shows, compares or passes values on."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.tree import DecisionTreeClassifier

from predictor.artifacts.baseline import trained_shares
from predictor.artifacts.bringing.feature_drafts import shares as drafted_shares
from predictor.artifacts.contract import build_contract
from predictor.artifacts.version import load_version
from predictor.evidence.drift import REQUESTS, Observation, Observations, measure
from predictor.models import Prediction
from predictor.serving.comparison import compare_versions
from predictor.serving.current import serving
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


SURVEY = {"answer": {"no": 0, "unknown": 1, "yes": 2}, "kept": {"Unbekannt": 0, "gone": 1}}
BOTH_MISSING = {"answer": {"missing": True}, "kept": {"missing": True}}
ASKED = {"answer": None, "kept": "gone"}


@pytest.fixture
def survey(models_dir):
    """A model of which a label is called as missing values are, and of which one is missing."""
    rows = np.array([[0.0, 0], [1, 0], [np.nan, 1], [2, 1], [np.nan, np.nan]] * 9)
    estimator = DecisionTreeClassifier(random_state=0).fit(rows, np.isnan(rows[:, 0]))
    shares = {"no": 0.2, "unknown": 0.3, "yes": 0.1, "no value": 0.4}
    metadata = {"features": BOTH_MISSING, "baseline": {"answer": shares}}
    bundles.install(models_dir, "survey", "1", estimator, SURVEY, ["no", "yes"], metadata)


def test_it_reads_otherwise_than_a_label_called_unknown(survey, client):
    ask_one(client, "survey", ASKED)
    answer = client.get("/api/models/survey/compare", {"kept": "gone", "vary": "answer"}).json()
    shown = [(option["value"], option["shown"]) for option in answer["options"]]
    assert shown[1::2] == [("unknown", "unknown"), (None, "no value")]
    page = client.get("/survey/?answer=&kept=gone&vary=answer").content.decode()
    # in the form and as a bar; the other feature has no such label
    assert (page.count(">no value<"), page.count(">unknown<")) == (2, 3)
    german = {"Accept-Language": "de"}
    page = client.get("/survey/?answer=&kept=gone&vary=kept", headers=german).content.decode()
    assert (page.count(">ohne Angabe<"), page.count(">Unbekannt<")) == (2, 2)
    page = client.get("/survey/map?rows=answer&columns=kept", headers=german).content.decode()
    heads = ("unbekannt", "unknown", "ohne Angabe")  # the second is a label's
    assert [page.count(f"{word}</") for word in heads] == [1, 1, 1]


def test_its_share_is_not_that_of_a_label_called_unknown(survey):
    model = serving().active("survey")
    answer = model.contract.features[0]
    shares = {"no": 0.2, "unknown": 0.3, "yes": 0.1, None: 0.4}
    assert trained_shares(model.contract, answer) == shares
    asked = [Observation({"answer": value, "kept": "gone"}, "no", {"no": 1.0}, 1.0)
             for value, share in shares.items() for _ in range(round(share * 1_000))]  # fmt: skip
    (found,) = [one for one in measure(model, REQUESTS, Observations(asked, [], []), set(), 0.1)
                if one.subject == "answer"]  # fmt: skip
    assert found.psi == pytest.approx(0)
    assert ("no value", 0.4, 0.4) in found.shares
    assert dict(drafted_shares(pd.Series(["unknown", None]), ["unknown"])) == {
        "unknown": 0.5, "no value": 0.5,
    }  # fmt: skip


def test_a_comparison_of_versions_says_it_otherwise(survey, models_dir):
    opposite = DummyClassifier().fit([[0, 0]] * 4, [0, 0, 0, 1])
    metadata = {"features": BOTH_MISSING}
    bundles.install(models_dir, "survey", "2", opposite, SURVEY, ["no", "yes"], metadata)
    versions = [load_version(models_dir / "survey" / number) for number in ("1", "2")]
    compared = compare_versions(*versions, [ASKED])
    assert [change.case for change in compared.replay.most] == ["answer no value, kept gone"]
