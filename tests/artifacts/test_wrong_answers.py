"""Answers that were wrong without a word: each is right now, or refused in words."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from predictor.artifacts.examination import examine
from predictor.artifacts.files import read_version
from predictor.artifacts.policy import Policy
from predictor.models import Prediction
from predictor.serving.current import serving
from tests import bundles
from tests.artifacts import zoo
from tests.sweeps import swept

pytestmark = pytest.mark.django_db

X = pd.DataFrame({"x": np.linspace(0.5, 9, 60)})
SPELLINGS = {
    "reciprocal": (np.reciprocal, ["4", "4.0", "4e0", "0.4e1"]),
    "square": (np.square, ["4000000000", "4000000000.0", "4e9"]),
    "log1p": (np.log1p, ["1" + "0" * 30, "1e30"]),
}


def of(function):
    return make_pipeline(FunctionTransformer(function), Ridge(alpha=1e-9)).fit(X, function(X.x))


def ask(post, text):
    return post(text).json()


def csv_scores(client, header, rows):
    body = "\n".join([header, *rows]).encode()
    answer = client.post("/api/predict", body, content_type="text/csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    return [float(line.rpartition(",")[2]) for line in lines[1:]]


@pytest.mark.slow
@pytest.mark.parametrize("name", SPELLINGS)
def test_a_numbers_spelling_does_not_change_the_answer(models_dir, client, post, name):
    function, spellings = SPELLINGS[name]
    model = of(function)
    own = float(model.predict(pd.DataFrame({"x": [float(spellings[0])]}))[0])
    bundles.install(models_dir, "m", "1", model, {"x": 0}, ["value"], {})
    for order in itertools.permutations(spellings[:3]):
        serving.cache_clear()  # the first to ask must not decide for the others
        assert [ask(post, f'{{"x": {text}}}') for text in order] == [{"value": own}] * len(order)
    items = ", ".join(f'{{"x": {text}}}' for text in [*spellings, "1.5"])
    assert [answer["value"] for answer in ask(post, f"[{items}]")[:-1]] == [own] * len(spellings)
    assert csv_scores(client, "x", spellings) == [own] * len(spellings)
    page = client.post("/m/", {"x": spellings[-1]}, headers={"Accept": "application/json"})
    assert page.status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("name", swept([name for name, make in zoo.COMBINATIONS.items()
                                        if "frame" in make()[2:]], 1))  # fmt: skip
def test_every_spelling_gets_a_frame_fitted_models_own_bits(models_dir, post, name):
    animal = zoo.made(name, zoo.COMBINATIONS[name])
    bundles.install(models_dir, "zoo", "1", animal.estimator, zoo.LOOKUP, animal.flags, {})
    for item, scores in zip(animal.items, animal.scores, strict=True):
        whole = json.dumps(item | {"hour": int(item["hour"])})
        spelt = json.dumps(item | {"hour": float(item["hour"])})
        assert list(ask(post, whole).values()) == list(ask(post, spelt).values())
        np.testing.assert_allclose(list(ask(post, spelt).values()), scores, rtol=0, atol=1e-12)


CHURN = LogisticRegression().fit(X, np.where(X.x > 5, "churn", "stay"))


@pytest.mark.parametrize(
    "flags", [["Stay", "Churn"], ["STAY ", "churn"], ["stay", "c_h-u rn"], ["Stay", "other"]]
)
def test_flags_that_are_the_classes_in_another_order_are_refused(models_dir, post, flags):
    bundles.install(models_dir, "m", "1", CHURN, {"x": 0}, flags, {})
    response = post({"x": 1})
    assert response.status_code == 503
    assert "the model answers in the order of its classes" in response.json()["detail"]


def test_classes_that_differ_by_a_sign_are_flags(models_dir, post):
    """As -1 and 1, or -50 and 50, which people may spell alike."""
    estimator = LogisticRegression().fit(X, np.where(X.x > 5, 1, -1))
    bundles.install(models_dir, "m", "1", estimator, {"x": 0}, ["-1", "1"], {})
    assert [*post({"x": 1}).json()] == ["-1", "1"]
    bundles.install(models_dir, "swapped", "1", estimator, {"x": 0}, ["1", "-1"], {})
    assert post({"x": 1}, "/api/models/swapped/predict").status_code == 503


@pytest.mark.parametrize(
    ("flags", "warned"),
    [(["Stays", "Churns"], True), (["Churns", "Stays"], False), (["Leaves", "Remains"], False)],
)
def test_flags_that_are_nearly_other_classes_are_warned_of(models_dir, flags, warned):
    folder = bundles.install(models_dir, "m", "1", CHURN, {"x": 0}, flags, {})
    warnings = examine(read_version(folder), Policy()).warnings
    assert any("the flags may be swapped" in warning for warning in warnings) is warned


@pytest.mark.slow
def test_the_pairing_of_classes_and_flags_is_said(models_dir, client):
    bundles.install(models_dir, "m", "1", CHURN, {"x": 0}, ["Leaves", "Remains"], {})
    verified = client.get("/api/info").json()["verified"]
    assert verified["pairing"] == ["churn → Leaves", "stay → Remains"]


FLAGS = {
    "a map": ({"stay": "Remains", "churn": "Leaves"}, ["Leaves", "Remains"]),
    "a map of numbers": ({1: "Remains", 0: "Leaves"}, ["Leaves", "Remains"]),
    "classes_": (CHURN.classes_, ["churn", "stay"]),
    "an array of objects": (CHURN.classes_.astype(object), ["churn", "stay"]),
    "an array of booleans": (np.array([False, True]), ["False", "True"]),
    "whole numbers": ([0, 1], ["0", "1"]),
    "numpy's whole numbers": ([np.int64(0), np.int64(1)], ["0", "1"]),
    "a map of names": ({"Remains": 1, "Leaves": np.int64(0)}, ["Leaves", "Remains"]),
    "booleans": ((False, True), ["False", "True"]),
}


@pytest.mark.slow
@pytest.mark.parametrize(("flags", "names"), swept(FLAGS, 1))
def test_flags_may_be_a_map_an_array_or_numbers(models_dir, post, flags, names):
    bundles.install(models_dir, "m", "1", CHURN, {"x": 0}, flags, {})
    own = CHURN.predict_proba(pd.DataFrame({"x": [2.0]}))[0]
    assert post({"x": 2}).json() == dict(zip(names, own, strict=True))


def forest(factor):
    model = RandomForestClassifier(5, random_state=0).fit(X.to_numpy(), X.x > 4)
    for tree in model.estimators_:
        state = tree.tree_.__getstate__()
        state["values"] = state["values"] * factor
        tree.tree_.__setstate__(state)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("factor", [7, 0.5, -1])
def test_impossible_probabilities_are_refused(models_dir, post, factor):
    bundles.install(models_dir, "m", "1", forest(factor), {"x": 0}, ["no", "yes"], {})
    response = post({"x": 1})
    assert response.status_code == 503
    assert "probabilit" in response.json()["detail"]


@pytest.mark.slow
def test_impossible_probabilities_are_no_answer_either(models_dir, post, monkeypatch):
    bundles.install(models_dir, "m", "1", forest(1), {"x": 0}, ["no", "yes"], {})
    assert post({"x": 1}).status_code == 200
    scorer = serving().active().scorer
    monkeypatch.setattr(scorer, "_shortcut", lambda matrix: np.array([[-2.0, 3.0]]))
    assert post({"x": 8}).status_code == 500


CITIES = ["Łódź", "São Paulo", "York"]


@pytest.mark.slow
def test_labels_reach_an_encoder_that_was_fitted_on_texts(models_dir, post):
    texts = pd.DataFrame({"city": CITIES * 10})
    model = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"),
        LogisticRegression(),
    ).fit(texts, np.arange(30) % 3 == 1)  # fmt: skip
    lookup = {"city": {city: code for code, city in enumerate(CITIES)}}
    bundles.install(models_dir, "m", "1", model, lookup, ["no", "yes"], {})
    answers = post([{"city": city} for city in CITIES]).json()
    own = model.predict_proba(pd.DataFrame({"city": CITIES}))
    assert [list(answer.values()) for answer in answers] == own.tolist()


def test_a_feature_whose_labels_make_no_difference_is_warned_of(models_dir, client):
    rows = np.column_stack([np.zeros(40), np.arange(40.0)])
    model = LogisticRegression().fit(rows, np.arange(40) % 2)
    lookup = {"city": {city: code for code, city in enumerate(CITIES)}, "x": 0}
    bundles.install(models_dir, "m", "1", model, lookup, ["no", "yes"], {})
    (warning,) = client.get("/api/info").json()["warnings"]
    assert "the same for every label of 'city'" in warning


@pytest.mark.slow
@pytest.mark.parametrize("text", ["1" + "0" * 30, "-1" + "0" * 25, str(2**64)])
def test_what_is_accepted_can_be_exported(models_dir, post, admin_client, text):
    bundles.install(models_dir, "m", "1", of(np.log1p) if text[0] == "1" else line(), {"x": 0},
                    ["value"], {})  # fmt: skip
    assert post(f'{{"x": {text}}}').status_code == 200
    assert Prediction.objects.get().inputs == {"x": float(text)}
    for form in ("jsonl", "csv", "xlsx"):
        exported = admin_client.get(f"/admin/predictor/prediction/export/{form}/")
        assert exported.status_code == 200, form
        assert len(b"".join(exported.streaming_content)) > 50


def line():
    return Ridge().fit(X, X.x)


@pytest.mark.slow
def test_whole_numbers_beyond_64_bits_are_refused(models_dir, post):
    described = {"features": {"x": {"integer": True}}}
    bundles.install(models_dir, "m", "1", line(), {"x": 0}, ["value"], described)
    assert post(f'{{"x": {2**62}}}').status_code == 200
    assert "too large" in post(f'{{"x": {2**63}}}').json()["errors"][0]["message"]


@pytest.mark.slow
def test_remembered_rows_are_bounded_in_bytes(models_dir, post):
    flags = [f"flag {i}" for i in range(5_000)]
    model = Ridge().fit(X.to_numpy(), np.tile(X.x.to_numpy()[:, None], (1, 5_000)))
    bundles.install(models_dir, "m", "1", model, {"x": 0}, flags, {})
    assert post({"x": 1}).status_code == 200
    assert serving().active().scorer._remembered.cache_info().maxsize * 5_000 * 32 <= 2**23
