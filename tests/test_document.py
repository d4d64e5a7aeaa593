"""The OpenAPI document is a contract: its examples are valid, and are answered as it says."""

import csv
import io
import shutil

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import RadiusNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    SplineTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from predictor.artifacts.errors import ScoringError
from predictor.artifacts.version import ModelVersion
from predictor.models import Retraining
from tests import bundles
from tests.artifacts import test_kinds as every_kind
from tests.sweeps import swept

pytestmark = pytest.mark.django_db
# Headers that not every answer has: a server need not have a rate, or a next page.
AT_TIMES = {"X-Request-Id", "RateLimit", "RateLimit-Policy", "Link"}


def constant(width, answers=(0, 1)):
    """An estimator of so many columns that always answers the same."""
    maker = DummyClassifier if len(answers) > 1 else DummyRegressor
    return maker().fit([[0.0] * width] * 2, list(answers) if len(answers) > 1 else [0.5, 0.5])


def choice(*labels):
    return {label: place for place, label in enumerate(labels)}


MODELS = {
    "labels": (constant(2), {"a": choice("x", "y"), "b": choice("=1+1", "it's, \"so\"", "ż")}, {}),
    "numbers": (constant(3), {"a": 0, "b": 0, "c": 0}, {
        "features": {
            "a": {"minimum": 2, "maximum": 3.5}, "b": {"default": 7}, "c": {"missing": True},
        },
        "baseline": {"c": {"4": 0.5, "9": 0.1}},
    }),
    "vectors": (constant(4, (0,)), {"pixels": [0.0] * 4}, {"features": {
        "pixels": {"default": [0.5, 1, 2, 3]}}}),
    "taken": (constant(2), {"vary": choice("a", "b"), "_vary": choice("c", "d")}, {}),
    "cases": (constant(2), {"size": choice("s", "m"), "level": 0}, {
        "examples": {"small": {"size": "s", "level": 1}, "middling": {"size": "m", "level": 2.5}},
        "features": {"size": {"labels": {"s": "small"}}},
    }),
    "common": (constant(2), {"size": choice("s", "m"), "month": 0}, {
        "features": {"month": {"minimum": 1, "maximum": 12, "integer": True}},
        "baseline": {"size": {"s": 0.2, "m": 0.8}, "month": {"3": 0.4, "9": 0.6}},
    }),
    "nonsense": (constant(1), {"size": choice("s", "m")}, {
        "baseline": {"size": {"xl": 0.8, "s": "most"}}}),
}  # fmt: skip


@pytest.fixture(scope="module")
def kept():
    """The document, made once."""
    return {}


@pytest.fixture
def document(models_dir, settings, client, kept):
    """That of a server with a model of every kind."""
    settings.MODEL_ALLOW_MODULES = [every_kind.since_2026.__module__]
    settings.LOG_SHARED = True  # or without a key nothing is listed
    bundles.install(models_dir)
    bundles.install(
        models_dir, "m", "1", every_kind.model(), every_kind.LOOKUP, ["value"], every_kind.METADATA
    )
    for name, (estimator, lookup, metadata) in MODELS.items():
        flags = ["no", "yes"] if isinstance(estimator, DummyClassifier) else ["value"]
        bundles.install(models_dir, name, "1", estimator, lookup, flags, metadata)
    if not kept:
        kept.update(client.get("/swagger.json").json())
    return kept


@pytest.mark.slow
def test_every_example_is_valid(document):
    assert_examples_are_valid(document)


@pytest.mark.slow
def test_every_request_is_answered_as_documented(document, client):
    assert_answers_are_as_documented(document, client)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["arkham", "m", "numbers"])
@pytest.mark.parametrize("query", ["ids=true", "explain=true&ids=true", "details=true"])
def test_what_is_asked_for_besides_the_scores_is_documented(document, client, name, query):
    examples = content_of(document, name)["application/json"]["examples"]
    operation = document["paths"][f"/api/models/{name}/predict"]["post"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    for example in examples.values():
        path = f"/api/models/{name}/predict?{query}"
        answer = client.post(path, example["value"], "application/json")
        assert answer.status_code == 200
        validate(document, schema, answer.json(), query)
        whole = {"anyOf": [{"type": "array"}, {"required": ["id"]}]}
        if "ids" in query:
            validate(document, whole, answer.json(), query)


@pytest.mark.slow
def test_a_case_is_the_versions_own_or_the_commonest(document):
    def body(name):
        return content_of(document, name)["application/json"]["examples"]

    assert [e["summary"] for e in body("cases").values()] == ["small", "middling", "several cases"]
    assert body("cases")["several"]["value"] == list(MODELS["cases"][2]["examples"].values())
    assert body("common")["case-1"]["value"] == {"size": "m", "month": 9}
    assert body("numbers")["case-1"]["value"] == {"a": 2, "b": 7, "c": 4}
    assert body("nonsense")["case-1"]["value"] == {"size": "s"}
    file = content_of(document, "cases")["text/csv"]["example"]
    assert file == "size,level\r\ns,1\r\nm,2.5\r\n"


YEARS = np.random.default_rng(5).integers(2019, 2025, (90, 2)).astype(float)
LATE = YEARS.sum(axis=1) > 4043
BARE = {
    "means": make_pipeline(StandardScaler(), LogisticRegression()),
    "thresholds": DecisionTreeClassifier(max_depth=3, random_state=0),
    "rows": RadiusNeighborsClassifier(radius=0.5),
    "categories": make_pipeline(OneHotEncoder(), LogisticRegression()),
    "medians": make_pipeline(SimpleImputer(strategy="median"), LogisticRegression()),
    "borders": make_pipeline(KBinsDiscretizer(3, quantile_method="linear"), LogisticRegression()),
    "knots": make_pipeline(SplineTransformer(extrapolation="error"), LogisticRegression()),
}


@pytest.mark.parametrize("estimator", swept(BARE, 2))
def test_a_case_of_three_plain_pickles_is_one_that_the_model_knows(models_dir, client, estimator):
    fitted = estimator.fit(YEARS, LATE)
    bundles.install(models_dir, "m", "1", fitted, {"first": 0, "last": 0}, ["no", "yes"], {})
    examples = content_of(client.get("/swagger.json").json(), "m")["application/json"]["examples"]
    case = examples["case-1"]["value"]
    assert all(2019 <= year <= 2024 for year in case.values())
    assert client.post("/api/models/m/predict", case, "application/json").status_code == 200
    assert client.get("/m/template.csv").content.decode().split()[1] == "{first},{last}".format_map(
        case
    )


@pytest.mark.slow
def test_a_case_of_pandas_categories_is_of_those_that_were_learnt(models_dir, client):
    table = pd.DataFrame({"first": YEARS[:, 0].astype(int)}, dtype="category")
    booster = HistGradientBoostingClassifier(max_iter=2, categorical_features="from_dtype")
    bundles.install(models_dir, "m", "1", booster.fit(table, LATE), {"first": 0}, ["no", "yes"], {})
    examples = content_of(client.get("/swagger.json").json(), "m")["application/json"]["examples"]
    assert 2019 <= examples["case-1"]["value"]["first"] <= 2024


def test_a_case_of_texts_is_of_those_that_were_learnt(models_dir, client):
    table = pd.DataFrame({"city": ["York", "Gotham"] * 10})
    estimator = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(table, table.city > "H")
    bundles.install(models_dir, "m", "1", estimator, {"city": ""}, ["no", "yes"], {})
    examples = content_of(client.get("/swagger.json").json(), "m")["application/json"]["examples"]
    assert examples["case-1"]["value"]["city"] in {"York", "Gotham"}


def test_every_operation_is_described(document):
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert {"arkham", *MODELS} <= tags.keys()
    assert tags["arkham"] == "**Arkham** Who escapes, and when."
    operations = list(operations_of(document))
    for path, _, operation in operations:
        assert operation["summary"], path
        assert operation["description"], path
        assert set(operation["tags"]) <= tags.keys(), path
        assert {"401", "404", "405", "429", "503"} <= operation["responses"].keys(), path
        for response in operation["responses"].values():
            assert "X-Request-Id" in found(document, response)["headers"], path
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids))
    assert document["info"]["version"].count(".") == 2
    assert document["servers"][0]["url"] == "/"


def test_every_answer_has_a_named_type(document):
    for path, _, operation in operations_of(document):
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema.keys() == {"$ref"}, path
    names = document["components"]["schemas"].keys()
    parts = ("item", "items", "answer", "answers", "params")
    assert {"Problem", "Info", "Model", *(f"arkham.{part}" for part in parts)} <= names


def test_problems_say_when_to_ask_again(document):
    responses = document["components"]["responses"]
    assert {code for code, response in responses.items() if "Retry-After" in response["headers"]} \
        == {"Problem429", "Problem503"}  # fmt: skip
    assert "Allow" in responses["Problem405"]["headers"]
    assert "WWW-Authenticate" in responses["Problem401"]["headers"]


def test_the_refusal_is_the_servers_own(document, client):
    operation = document["paths"]["/api/models/arkham/predict"]["post"]
    shown = operation["responses"]["400"]["content"]["application/problem+json"]["example"]
    wrong = dict(content_of(document, "arkham")["application/json"]["examples"]["case-1"]["value"])
    wrong["city_"] = wrong.pop("city")
    answer = client.post("/api/models/arkham/predict", wrong, "application/json")
    assert (answer.status_code, answer.json()) == (400, shown)
    assert shown["errors"][1]["suggestion"] == "city"


def test_outcomes_are_the_flags(document):
    report = document["components"]["schemas"]["OutcomeReport"]
    assert report["properties"]["outcome"]["enum"] == ["escapes", "jailed", "no", "yes", "value"]


def test_values_that_generators_would_name_alike_have_names(arkham, models_dir, client):
    labels = choice("north", "North", "<18", "a b", "a-b", "a_b_4", "日", "+", "-")
    bundles.install(
        models_dir, "blackgate", "1", constant(1), {"at": labels}, ["Escapes", "jailed"], {}
    )
    schemas = client.get("/swagger.json").json()["components"]["schemas"]
    outcome = schemas["OutcomeReport"]["properties"]["outcome"]
    assert outcome["enum"] == ["escapes", "jailed", "Escapes"]
    assert outcome["x-enum-varnames"] == ["ESCAPES_1", "JAILED_2", "ESCAPES_3"]
    at = schemas["blackgate.item"]["properties"]["at"]
    names = at["x-enum-varnames"]
    assert len({name.casefold() for name in names}) == len(names) == len(at["enum"])
    assert all(name.isidentifier() for name in names)
    assert "x-enum-varnames" not in schemas["arkham.item"]["properties"]["city"]


def test_only_what_can_be_varied_is_compared(document):
    paths = document["paths"]
    assert not {"/api/models/vectors/compare"} & paths.keys()
    parameters = paths["/api/models/cases/compare"]["get"]["parameters"]
    wanted = {p["name"]: p["required"] for p in parameters}
    assert wanted == {"vary": True, "size": False, "level": True}


def test_a_csv_is_never_empty(document):
    for path, _, operation in operations_of(document):
        for body in (operation.get("requestBody", {}), operation["responses"]["200"]):
            csv_body = body.get("content", {}).get("text/csv")
            assert csv_body is None or csv_body["schema"]["minLength"] == 1, path


def test_it_is_valid_without_a_model(models_dir, client):
    document = client.get("/swagger.json").json()
    assert_examples_are_valid(document)
    assert not [tag for tag in document["tags"] if not tag["description"]]


def test_a_model_that_has_no_answer_now_leaves_no_example(arkham, client, monkeypatch):
    def fail(*_):
        raise ScoringError("it hangs")

    monkeypatch.setattr("predictor.api.examples._scored", {})
    monkeypatch.setattr(ModelVersion, "score", fail)
    document = client.get("/swagger.json").json()
    answer = document["paths"]["/api/predict"]["post"]["responses"]["200"]
    assert "examples" not in answer["content"]["application/json"]
    assert "examples" in content_of(document, "arkham")["application/json"]


@pytest.mark.slow
def test_the_demo_models(trained, models_dir, client, settings):
    settings.LOG_SHARED = True
    for name in ("crime", "titanic"):
        shutil.copytree(trained(name), models_dir / name / "1.0.0")
    document = client.get("/swagger.json").json()
    assert_examples_are_valid(document)
    assert_answers_are_as_documented(document, client)


def assert_examples_are_valid(document):
    places = list(examples_in(document))
    for place, schema, example in places:
        validate(document, schema, example, place)
    assert len(places) > 5


def assert_answers_are_as_documented(document, client):
    sent = 0
    for path, method, operation in operations_of(document):
        for kind, body in requests_of(operation):
            answer = send(client, document, path, method, kind, body)
            assert answer.status_code == 200, (path, kind, body, answer.content)
            response = operation["responses"]["200"]
            for header in response["headers"].keys() - AT_TIMES:
                assert header in answer.headers, (path, header)
            content = b"".join(answer).decode()
            documented = response["content"][answer.headers["Content-Type"].partition(";")[0]]
            value = content if kind == "text/csv" else answer.json()
            validate(document, documented["schema"], value, path)
            assert_is_shown(documented, body, operation, value)
            sent += 1
    assert sent >= 3 * len(document["tags"])


def assert_is_shown(documented, body, operation, value):
    """The response to an example request equals the example response."""
    if "example" in documented:
        shown, answered = (list(csv.reader(io.StringIO(t))) for t in (documented["example"], value))
        assert answered == shown
    elif "examples" in documented:
        asked = operation["requestBody"]["content"]["application/json"]["examples"]
        key = next(key for key, example in asked.items() if example["value"] == body)
        assert documented["examples"][key]["value"] == value


def requests_of(operation):
    """(content type, body) of every example; of an operation without a body, its query."""
    if "requestBody" not in operation:
        known = operation.get("parameters", [])
        yield "", {p["name"]: p["example"] for p in known if "example" in p}
        return
    for kind, content in operation["requestBody"]["content"].items():
        for example in content.get("examples", {}).values():
            yield kind, example["value"]
        if "example" in content:
            yield kind, content["example"]


def send(client, document, path, method, kind, body):
    if "{identity}" in path:
        case = document["paths"]["/api/predict"]["post"]["requestBody"]["content"]
        one = case["application/json"]["examples"]["case-1"]["value"]
        asked = client.post("/api/predict", one, "application/json")
        path = path.replace("{identity}", asked.headers["X-Prediction-Id"])
    if "{number}" in path:
        row = {"model": "arkham", "version": "1.0.0", "sha256": "f" * 64, "reason": "promise"}
        request, _ = Retraining.objects.get_or_create(**row)
        path = path.replace("{number}", str(request.pk))
    return client.get(path, body) if method == "get" else client.post(path, body, kind)


def operations_of(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def content_of(document, name):
    return document["paths"][f"/api/models/{name}/predict"]["post"]["requestBody"]["content"]


def found(document, described):
    """The target of a reference; other objects unchanged."""
    if "$ref" not in described:
        return described
    place = document
    for part in described["$ref"].removeprefix("#/").split("/"):
        place = place[part]
    return place


def examples_in(document):
    """(where, schema, example) of every example."""
    waiting = [("#", document)]
    while waiting:
        where, place = waiting.pop()
        if isinstance(place, list):
            waiting += [(f"{where}/{n}", inner) for n, inner in enumerate(place)]
        if not isinstance(place, dict):
            continue
        named = place.get("examples", {})
        if "schema" in place:
            given = [example["value"] for example in named.values()] if named else []
            given += [place["example"]] if "example" in place else []
            yield from ((where, place["schema"], example) for example in given)
        elif isinstance(named, list) or "type" in place:
            given = list(named) + ([place["example"]] if "example" in place else [])
            yield from ((where, place, example) for example in given)
        waiting += [(f"{where}/{key}", inner) for key, inner in place.items()
                    if key not in ("example", "examples", "properties")]  # fmt: skip
        properties = place.get("properties", {})
        waiting += [(f"{where}/{key}", inner) for key, inner in properties.items()]


def validate(document, schema, value, where):
    whole = {**schema, "components": document["components"]}
    validator = Draft202012Validator(whole, format_checker=FormatChecker())
    assert not [error.message for error in validator.iter_errors(value)], (where, value)
