"""One feature of every kind: in the API, its document, CSV, the log, its exports and the page."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from predictor.artifacts.examination import examine
from predictor.artifacts.files import read_version
from predictor.artifacts.outputs import Outputs
from predictor.artifacts.policy import Policy
from predictor.models import Prediction
from tests import bundles
from tests.artifacts import plain_zoo
from tests.artifacts.asking import ask_csv, ask_one
from tests.artifacts.own_functions import since_2026

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

rng = np.random.default_rng(4)
N = 90
TABLE = pd.DataFrame({
    "code": rng.integers(0, 3, N).astype(float), "city": rng.choice(["Łódź", "York"], N),
    "size": rng.choice(["s", "m"], N), "level": rng.normal(size=N),
    "count": rng.integers(0, 9, N), "member": rng.random(N) < 0.5,
    "note": rng.choice(["the joker laughs", "a quiet day"], N),
    "day": pd.to_datetime("2026-01-01") + pd.to_timedelta(rng.integers(0, 90, N), "D"),
    "at": pd.to_datetime("2026-01-01T06:00") + pd.to_timedelta(rng.integers(0, 900, N), "h"),
    "p0": rng.normal(size=N), "p1": rng.normal(size=N),
})  # fmt: skip
LOOKUP = {
    "code": {"a": 0, "b": 1, "c": 2}, "city": ["Łódź", "York"], "size": {"s": "s", "m": "m"},
    "level": 0, "count": 0, "member": False, "note": "", "day": "", "at": "", "pixels": [0.0] * 2,
}  # fmt: skip
METADATA = {
    "features": {
        "count": {"type": "integer", "minimum": 0, "maximum": 9, "unit": "pieces"},
        "day": {"type": "date", "minimum": "2026-01-01", "maximum": "2026-12-31"},
        "at": {"type": "date-time"},
        "level": {"missing": True},
        "note": {"max_length": 100},
    },
    "outputs": {"value": {"unit": "kg"}},
    "examples": {"a usual case": {}},
}
ITEM = {
    "code": "b", "city": "Łódź", "size": "m", "level": 0.5, "count": 3, "member": True,
    "note": "the joker", "day": "2026-02-03", "at": "2026-02-03T04:05:00", "pixels": [0.25, -1],
}  # fmt: skip
METADATA["examples"]["a usual case"] = ITEM


@cache
def model():
    columns = ColumnTransformer(
        [
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["city", "size"]),
            ("days", FunctionTransformer(since_2026), ["day", "at"]),
            ("words", TfidfVectorizer(), "note"),
    ], remainder="passthrough", sparse_threshold=0)  # fmt: skip
    frame = TABLE.copy()
    frame.loc[::7, "level"] = np.nan
    target = frame["count"] + 3 * frame.member + frame.p0
    return make_pipeline(columns, DecisionTreeRegressor(max_depth=6, random_state=0)).fit(
        frame, target
    )


@pytest.fixture
def served(models_dir, settings):
    settings.MODEL_ALLOW_MODULES = [since_2026.__module__]
    estimator = model()
    bundles.install(models_dir, "m", "1", estimator, LOOKUP, ["value"], METADATA)
    return estimator


def own(estimator, item):
    row = {k: v for k, v in item.items() if k != "pixels"}
    row |= {"p0": item["pixels"][0], "p1": item["pixels"][1]}
    row["code"] = LOOKUP["code"][item["code"]]
    frame = pd.DataFrame([row]).astype({"code": float, "level": float, "p0": float, "p1": float})
    frame["day"], frame["at"] = pd.to_datetime(frame.day), pd.to_datetime(frame["at"])
    return float(estimator.predict(frame)[0])


OTHERS = [
    {"level": None}, {"city": "Atlantis"}, {"member": False}, {"day": "2026-12-31"},
    {"note": ""}, {"at": "2026-02-03t04:05:00z"},
    {"note": 'a, "quoted"\nline'}, {"at": "2026-02-03T04:05:00+00:00"}, {"pixels": [1e30, 2]},
]  # fmt: skip


def test_it_works(served, client):
    items = [ITEM, *(ITEM | other for other in OTHERS)]
    wanted = [own(served, item | {"at": ITEM["at"]}) for item in items]
    assert [ask_one(client, "m", item)["value"] for item in items] == wanted
    assert [answer["value"] for answer in ask_one(client, "m", items)] == wanted
    assert [answer["value"] for answer in ask_csv(client, "m", items)] == wanted


def test_a_missing_value_may_be_left_out(served, client):
    left_out = {name: value for name, value in ITEM.items() if name != "level"}
    assert ask_one(client, "m", left_out) == ask_one(client, "m", ITEM | {"level": None})
    assert ask_csv(client, "m", [left_out]) == [ask_one(client, "m", left_out)]


def test_labels_are_compared_in_their_composed_form(served, client):
    apart = "Ło\u0301dz\u0301"
    assert ask_one(client, "m", ITEM | {"city": apart}) == ask_one(client, "m", ITEM)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("code", "z", "not a known label"), ("code", 1, "expected a label in quotes"),
        ("city", "", "at most 500"), ("city", "x" * 501, "at most 500"),
        ("member", 1, "expected true or false, not the number 1; did you mean true?"),
        ("member", "no", "did you mean false?"), ("count", 3.5, "a whole number from 0 to 9"),
        ("count", None, "not null"), ("level", "x", "expected a number"),
        ("note", "x" * 101, "at most 100 characters"), ("note", 5, "expected text"),
        ("note", "\x00", "control characters"), ("day", "2026-02-30", "a date such as"),
        ("day", "2026-2-3", 'did you mean "2026-02-03"?'), ("member", "WAHR", "did you mean true?"),
        ("day", "2027-2-3", '2027-2-3"'),
        ("day", "2026-02-03T04:05:00.000Z", 'did you mean "2026-02-03"?'),
        ("day", "2027-01-01", "from 2026-01-01 to 2026-12-31"), ("day", 5, "a date such as"),
        ("at", "noon", "a date and time"), ("at", "0001-01-01T00:00", "a date and time"),
        ("pixels", [1], "a list of 2 numbers, not 1"), ("pixels", [1, "x"], "in the list"),
        ("pixels", [1, None], "in the list"), ("pixels", "1", "a list of 2 numbers"),
        ("pixels", [1, 10**400], "not finite"),
    ],
)  # fmt: skip
def test_it_rejects_what_is_no_value_of_its_kind(served, client, field, value, words):
    answer = ask_one(client, "m", ITEM | {field: value})
    assert answer["status"] == 400
    (error,) = answer["errors"]
    assert error["field"] == field
    assert words in error["message"]


def test_params_give_each_kinds_own_empty_value(served, client):
    assert client.get("/api/models/m/params").json() == {
        "code": ["a", "b", "c"], "city": ["Łódź", "York"], "size": ["s", "m"], "level": 0,
        "count": 0, "member": False, "note": "", "day": "", "at": "", "pixels": [],
    }  # fmt: skip


def test_the_document_describes_each_kind(served, client):
    schema = client.get("/swagger.json").json()["components"]["schemas"]["m.item"]
    validator = Draft202012Validator(schema)
    assert schema["example"] == ITEM
    assert schema["properties"]["level"]["type"] == ["number", "null"]
    assert schema["properties"]["pixels"]["minItems"] == 2
    assert "level" not in schema["required"]
    for other in ({}, *OTHERS):
        validator.validate(ITEM | other)
    for wrong in ({"member": 1}, {"count": None}, {"pixels": [1]}, {"code": "z"}, {"note": 5}):
        assert not validator.is_valid(ITEM | wrong), wrong


def test_the_log_and_its_exports_hold_each_kind(served, client, admin_client):
    ask_one(client, "m", ITEM)
    ask_one(client, "m", ITEM | {"level": None})
    assert Prediction.objects.order_by("id").first().inputs == ITEM
    exports = {}
    for kind in ("jsonl", "csv", "xlsx"):
        answer = admin_client.get(f"/admin/predictor/prediction/export/{kind}/")
        exports[kind] = b"".join(answer.streaming_content)
    newest = json.loads(exports["jsonl"].splitlines()[0])
    assert newest["inputs"]["pixels"] == [0.25, -1]
    assert b'true,the joker,2026-02-03,2026-02-03T04:05:00,"[0.25, -1]"' in exports["csv"]


def test_the_page_asks_for_each_kind_and_answers(served, client):
    page = client.get("/m/").content.decode()
    for name in LOOKUP:
        assert f'name="{name}"' in page
    form = {name: value if isinstance(value, str) else json.dumps(value)
            for name, value in ITEM.items()}  # fmt: skip
    assert (
        client.get("/api/models/m/compare", form | {"vary": "member", "note": ""}).status_code
        == 200
    )
    assert client.post("/m/", form | {"note": "", "member": "WAHR"}).status_code == 200
    for level in ("0.5", ""):
        answer = client.post("/m/", form | {"level": level}, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.content
        shown = {line["name"]: line["shown"] for line in answer.json()["case"]}
        assert (shown["count"], shown["at"]) == ("3 pieces", "2026-02-03 04:05:00")
    assert client.post("/m/", form).status_code == 200
    varied = client.get("/api/models/m/compare", form | {"vary": "member"}).json()
    assert [option["value"] for option in varied["options"]] == [True, False]
    assert client.get("/m/map").status_code == 200


def test_lists_of_numbers_may_be_columns_of_a_csv(served, client):
    names = [name for name in ITEM if name != "pixels"]
    row = [json.dumps(ITEM[n]) if not isinstance(ITEM[n], str) else ITEM[n] for n in names]
    header = ",".join([*names, "pixels[0]", "pixels[1]"])
    body = f"{header}\n{','.join([*row, '0.25', '-1'])}\n".encode()
    answer = client.post("/api/models/m/predict", body, content_type="text/csv")
    last = b"".join(answer.streaming_content).decode().splitlines()[1].rpartition(",")[2]
    assert float(last) == ask_one(client, "m", ITEM)["value"]


def test_what_a_step_learnt_of_a_list_is_tried_as_a_list(models_dir):
    rows = rng.normal(size=(40, 3))
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, rows[:, 0] > 0)
    folder = bundles.install(models_dir, "m", "1", estimator, {"x": [0.0] * 3}, ["no", "yes"], {})
    report = examine(read_version(folder), Policy())
    assert (report.reason, report.notes) == ("", [])


def test_many_values_without_an_answer_are_found_by_few_calls(models_dir, monkeypatch):
    known = pd.DataFrame({"city": ["a", "b"] * 20, "x": np.arange(40.0)})
    columns = ColumnTransformer([("city", OneHotEncoder(), ["city"])], remainder="passthrough")
    estimator = make_pipeline(columns, Ridge()).fit(known, known.x)
    calls = []
    ask = Outputs.__call__
    monkeypatch.setattr(Outputs, "__call__", lambda *asked: calls.append(1) or ask(*asked))
    lookup = {"city": ["a", "b", *map(str, range(500))], "x": 0}
    folder = bundles.install(models_dir, "m", "1", estimator, lookup, ["value"], {})
    report = examine(read_version(folder), Policy())
    assert report.reason == ""
    assert "unknown categories" in report.notes[0]
    assert len(calls) < 200  # one by one, and to find whose fault it was: 2,500


def test_an_estimator_that_has_no_answer_says_so(models_dir, client):
    years = pd.DataFrame({"year": [2019, 2020, 2021] * 5, "x": np.arange(15.0)})
    columns = ColumnTransformer([("y", OneHotEncoder(), ["year"])], remainder="passthrough")
    estimator = make_pipeline(columns, Ridge()).fit(years, years.x)
    bundles.install(models_dir, "m", "1", estimator, {"year": 0, "x": 0}, ["value"], {})
    assert ask_one(client, "m", {"year": 2020, "x": 1}).keys() == {"value"}
    answer = ask_one(client, "m", [{"year": 2020, "x": 1}, {"year": 1800, "x": 2}])
    assert (answer["status"], answer["title"]) == (422, "The model has no answer")
    (error,) = answer["errors"]
    assert error["field"] == "[1].year"
    assert "unknown categories" in error["message"]
    assert ask_csv(client, "m", [{"year": 1800, "x": 2}])["errors"][0]["field"] == "row 2: year"


@pytest.mark.parametrize("kept", [2**20, 0])
def test_a_file_is_answered_whole_or_not_at_all(models_dir, client, monkeypatch, kept):
    monkeypatch.setattr("predictor.api.csv_files.BATCH", 1)
    monkeypatch.setattr("predictor.api.csv_rows._MOST_KEPT", kept)
    years = pd.DataFrame({"year": [2019, 2020, 2021] * 5})
    estimator = make_pipeline(OneHotEncoder(), Ridge()).fit(years, np.arange(15.0))
    bundles.install(models_dir, "m", "1", estimator, {"year": 0}, ["value"], {})
    items = [{"year": 2019}, {"year": 2021}]
    refused = ask_csv(client, "m", [*items, {"year": 1800}])
    assert (refused["status"], refused["errors"][0]["field"]) == (422, "row 4: year")
    assert not Prediction.objects.exists()
    assert ask_csv(client, "m", items) == ask_one(client, "m", items)
    assert Prediction.objects.count() == 4


def test_a_booster_that_saw_gaps_among_categories_takes_null(models_dir, client):
    table = plain_zoo.GAPS.assign(city=plain_zoo.GAPS.city.astype("category"))[["city", "age"]]
    booster = HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype")
    booster.fit(table, plain_zoo.BOUGHT)
    lookup = {"city": plain_zoo.CITIES, "age": 0}
    bundles.install(models_dir, "m", "1", booster, lookup, ["0", "1"], {})
    asked = [{"city": None, "age": 40.0}, {"city": "York", "age": None}]
    frame = pd.DataFrame(asked).astype({"city": table.city.dtype, "age": float})
    own = booster.predict_proba(frame).tolist()
    assert [list(answer.values()) for answer in ask_one(client, "m", asked)] == own
    assert [list(answer.values()) for answer in ask_csv(client, "m", asked)] == own
