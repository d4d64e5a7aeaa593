"""Models fitted on other types than the lookup shows: they get what they were fitted on."""

import json

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from tests import bundles
from tests.artifacts.asking import ask_csv

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

TRUTHS = [True, False, False, True, True, False] * 5
YEARS = [2019, 2020, 2021, 2020, 2019, 2021] * 5
PORTS = ["S", "C", "Q", "C", "S", "S"] * 5
AGES = np.arange(30) % 11 + 0.5
TARGET = (AGES + 3 * np.array(TRUTHS) + np.array(YEARS) - 2020 > 6).astype(int)
LINE = LogisticRegression()


def columns(encoder, name):
    return make_pipeline(ColumnTransformer([("t", encoder, [name])], remainder="passthrough"), LINE)


def table(**column):
    return pd.DataFrame(column | {"age": AGES})


def answers(client, models_dir, model, lookup, items, metadata=None):
    """The scores of ``items`` alone, as an array and as CSV, which must be alike."""
    bundles.install(models_dir, "m", "1", model, lookup, ["flag a", "flag b"], metadata or {})
    path, kind = "/api/models/m/predict", "application/json"
    alone = [client.post(path, json.dumps(item), content_type=kind).json() for item in items]
    together = client.post(path, json.dumps(items), content_type=kind).json()
    assert together == [pytest.approx(answer) for answer in alone]
    assert ask_csv(client, "m", items) == [pytest.approx(answer) for answer in alone]
    return [list(answer.values()) for answer in alone]


@pytest.mark.parametrize(
    ("words", "encoder"),
    [(("False", "True"), OneHotEncoder()), (("no", "yes"), OneHotEncoder(handle_unknown="ignore")),
     (("N", "Y"), OrdinalEncoder()), (("0", "1"), OneHotEncoder())],
)  # fmt: skip
def test_a_truth_is_passed_as_the_text_that_was_learnt_for_it(models_dir, client, words, encoder):
    frame = table(member=[words[truth] for truth in TRUTHS])
    model = columns(encoder, "member").fit(frame, TARGET)
    items = [{"member": t, "age": a} for t, a in zip(TRUTHS[:4], AGES, strict=False)]
    found = answers(client, models_dir, model, {"member": False, "age": 0}, items)
    np.testing.assert_allclose(found, model.predict_proba(frame[:4]))


def test_a_truth_in_a_record_is_passed_as_its_text(models_dir, client):
    records = [{"member": str(t), "age": a} for t, a in zip(TRUTHS, AGES, strict=True)]
    model = make_pipeline(DictVectorizer(), LINE).fit(records, TARGET)
    items = [{"member": t, "age": a} for t, a in zip(TRUTHS[:4], AGES, strict=False)]
    found = answers(client, models_dir, model, {"member": False, "age": 0}, items)
    np.testing.assert_allclose(found, model.predict_proba(records[:4]))


def test_a_missing_truth_is_missing_among_texts_too(models_dir, client):
    texts = [str(truth) for truth in TRUTHS]
    frame = table(member=[np.nan, *texts[1:]])
    model = columns(OneHotEncoder(), "member").fit(frame, TARGET)
    items = [{"member": None, "age": 0.5}, {"member": False, "age": 1.5}]
    found = answers(client, models_dir, model, {"member": False, "age": 0}, items)
    np.testing.assert_allclose(found, model.predict_proba(frame[:2]))


@pytest.mark.parametrize("labels", [["2019", "2020", "2021"], {"2019": 0, "2020": 1, "2021": 2}])
@pytest.mark.parametrize("kind", [int, float])
def test_labels_of_numbers_are_passed_as_the_numbers_that_were_learnt(
    models_dir, client, labels, kind
):
    frame = table(year=np.array(YEARS, dtype=kind))
    model = columns(OneHotEncoder(handle_unknown="ignore"), "year").fit(frame, TARGET)
    items = [{"year": str(y), "age": a} for y, a in zip(YEARS[:4], AGES, strict=False)]
    found = answers(client, models_dir, model, {"year": labels, "age": 0}, items)
    np.testing.assert_allclose(found, model.predict_proba(frame[:4]))


def test_a_codes_own_categories_stay_codes(models_dir, client):
    frame = table(year=np.array(YEARS) - 2019)
    model = columns(OneHotEncoder(handle_unknown="ignore"), "year").fit(frame, TARGET)
    lookup = {"year": {"0": 2, "1": 1, "2": 0}, "age": 0}
    items = [{"year": str(2 - y + 2019), "age": a} for y, a in zip(YEARS[:4], AGES, strict=False)]
    found = answers(client, models_dir, model, lookup, items)
    np.testing.assert_allclose(found, model.predict_proba(frame[:4]))


@pytest.mark.parametrize("kind", [int, np.int64, float])
def test_numbers_may_be_labels(models_dir, client, kind):
    frame = table(year=np.array(YEARS) - 2019)
    model = columns(OneHotEncoder(handle_unknown="ignore"), "year").fit(frame, TARGET)
    lookup = {"year": {kind(year): year - 2019 for year in (2019, 2020, 2021)}, "age": 0}
    items = [{"year": str(kind(y)), "age": a} for y, a in zip(YEARS[:4], AGES, strict=False)]
    found = answers(client, models_dir, model, lookup, items)
    np.testing.assert_allclose(found, model.predict_proba(frame[:4]))


def test_numbers_may_be_names_of_features(models_dir, client):
    """As the columns of a data frame that was made of an array."""
    frame = pd.DataFrame(np.column_stack([AGES, np.array(YEARS) - 2019]))
    model = LogisticRegression().fit(frame, TARGET)
    items = [{"0": a, "1": y - 2019} for a, y in zip(AGES[:4], YEARS, strict=False)]
    found = answers(client, models_dir, model, {0: 0, 1: 0}, items)
    np.testing.assert_allclose(found, model.predict_proba(frame[:4]))


NAMES = {"Southampton": "S", "Cherbourg": "C", "Queenstown": "Q"}


@pytest.mark.parametrize("lookup", [NAMES, {"S": "Southampton", "C": "Cherbourg", "Q": "Queens"}])
def test_a_label_may_have_a_text_for_a_code(models_dir, client, lookup):
    frame = table(port=PORTS)
    model = columns(OneHotEncoder(handle_unknown="ignore"), "port").fit(frame, TARGET)
    spelt = {text: label for label, text in NAMES.items()} if lookup is NAMES else {}
    items = [{"port": spelt.get(p, p), "age": a} for p, a in zip(PORTS[:4], AGES, strict=False)]
    found = answers(client, models_dir, model, {"port": lookup, "age": 0}, items)
    np.testing.assert_allclose(found, model.predict_proba(frame[:4]))


def test_a_text_for_a_code_that_no_encoder_shows_is_refused(models_dir, post):
    frame = table(port=[float(ord(port)) for port in PORTS])
    model = DecisionTreeClassifier().fit(frame, TARGET)
    bundles.install(models_dir, "m", "1", model, {"port": NAMES, "age": 0}, ["a", "b"], {})
    answer = post({"port": "Southampton", "age": 1}, "/api/models/m/predict")
    assert answer.status_code == 503
    assert "no encoder of the model has learnt" in answer.json()["detail"]


def test_pandas_own_missing_value_may_be_a_parameter(models_dir, client):
    frame = table(member=pd.array([None, *TRUTHS[1:]], dtype="boolean"))
    filled = SimpleImputer(missing_values=pd.NA, strategy="most_frequent")
    model = columns(make_pipeline(filled, OneHotEncoder()), "member").fit(frame, TARGET)
    items = [{"member": None, "age": 0.5}, {"member": False, "age": 1.5}]
    found = answers(client, models_dir, model, {"member": False, "age": 0}, items)
    np.testing.assert_allclose(found, model.predict_proba(frame[:2]))


def test_a_model_that_answers_sparse_matrices_is_asked_as_others_are(models_dir, client):
    truths = scipy.sparse.csr_matrix(np.column_stack([TARGET, 1 - TARGET]))
    model = OneVsRestClassifier(LinearSVC()).fit(AGES[:, None], truths)
    found = answers(client, models_dir, model, {"age": 0}, [{"age": 0.5}, {"age": 9.5}])
    np.testing.assert_allclose(found, model.predict([[0.5], [9.5]]).toarray())


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
@pytest.mark.parametrize("last", [StandardScaler(), DecisionTreeClassifier(random_state=0)])
def test_a_date_is_passed_in_the_unit_that_was_learnt(models_dir, client, unit, last):
    """pandas 3 reads dates as microseconds, pandas 2 as nanoseconds."""
    days = pd.Series(pd.date_range("2024-02-27", periods=30, unit=unit))
    target = (np.arange(30) > 12).astype(int)
    steps = [last, LINE] if isinstance(last, StandardScaler) else [last]
    model = make_pipeline(ColumnTransformer([("d", "passthrough", ["day"])]), *steps)
    frame = pd.DataFrame({"day": days})
    model.fit(frame, target)
    metadata = {"features": {"day": {"type": "date"}}}
    items = [{"day": str(day)[:10]} for day in days[10:15]]
    found = answers(client, models_dir, model, {"day": ""}, items, metadata)
    np.testing.assert_allclose(found, model.predict_proba(frame[10:15]))


@pytest.mark.parametrize(
    ("function", "given"),
    [(np.clip, {"a_min": 2, "a_max": 5}), (np.round, {"decimals": 0}), (np.round, None)],
)
def test_numbers_may_be_clipped_and_rounded(models_dir, client, function, given):
    model = make_pipeline(FunctionTransformer(function, kw_args=given), LINE)
    model.fit(AGES[:, None], TARGET)
    found = answers(client, models_dir, model, {"age": 0}, [{"age": 1.26}, {"age": 9.74}])
    np.testing.assert_allclose(found, model.predict_proba([[1.26], [9.74]]))


def test_columns_may_be_a_slice_of_names(models_dir, client):
    frame = pd.DataFrame({"port": PORTS, "member": PORTS[::-1], "age": AGES})
    encoder = OneHotEncoder(handle_unknown="ignore")
    parts = [("t", encoder, slice("port", "member"))]
    model = make_pipeline(ColumnTransformer(parts, remainder="passthrough"), LINE)
    model.fit(frame, TARGET)
    lookup = {"port": list(NAMES.values()), "member": list(NAMES.values()), "age": 0}
    found = answers(client, models_dir, model, lookup, frame[:3].to_dict("records"))
    np.testing.assert_allclose(found, model.predict_proba(frame[:3]))


def test_a_text_that_is_a_number_to_the_model_is_a_number(models_dir, client):
    frame = table(year=YEARS)
    model = columns(OneHotEncoder(handle_unknown="ignore"), "year").fit(frame, TARGET)
    items = [{"year": y, "age": a} for y, a in zip(YEARS[:4], AGES, strict=False)]
    found = answers(client, models_dir, model, {"year": "", "age": 0}, items)
    np.testing.assert_allclose(found, model.predict_proba(frame[:4]))
