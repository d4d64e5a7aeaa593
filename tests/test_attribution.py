"""The explanation of an answer: the contribution of each selector."""

import itertools
import math
import random
import re
from collections import OrderedDict

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from batcomputer import save_model
from predictor.artifacts.errors import ScoringError
from predictor.artifacts.table import Table
from predictor.artifacts.trial_rows import Grid
from predictor.models import Prediction
from predictor.predictions import attribution
from predictor.predictions.coalitions import Coalitions
from predictor.predictions.permutations import sampled_ladder, sampled_parts
from predictor.serving.current import serving
from tests import bundles
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db
PATH = "/api/models/arkham/predict?explain=true"


def a_table(sizes=(4, 3, 5), flags=2, seed=0):
    """A table of random scores, with uneven weights."""
    chance = random.Random(seed)
    grid = Grid(tuple(tuple(range(size)) for size in sizes))
    scores = [chance.random() for _ in range(grid.size * flags)]
    weights = [[chance.random() for _ in range(size)] for size in sizes]
    weights = [[one / sum(axis) for one in axis] for axis in weights]
    return Table(grid, "probability", memoryview(np.array(scores))), weights


def mean_where(table, weights, row, known):
    """The mean score over all rows that agree with ``row`` where it is known."""
    total = [0.0] * table.width
    for other in table.grid.rows():
        if all(other[at] == row[at] for at in known):
            weight = math.prod(
                axis[cell]
                for at, (axis, cell) in enumerate(zip(weights, other, strict=True))
                if at not in known
            )
            total = [a + weight * b for a, b in zip(total, table.score([other])[0], strict=True)]
    return total


def by_definition(table, weights, row):
    """Shapley values as the mean over all orders."""
    count = len(row)
    parts = [[0.0] * table.width for _ in range(count)]
    orders = list(itertools.permutations(range(count)))
    for order in orders:
        for at, selector in enumerate(order):
            before = mean_where(table, weights, row, order[:at])
            after = mean_where(table, weights, row, order[: at + 1])
            for flag in range(table.width):
                parts[selector][flag] += (after[flag] - before[flag]) / len(orders)
    return parts


def test_exact_parts_are_the_mean_over_all_orders():
    table, weights = a_table()
    coalitions = Coalitions(table, weights)
    for row in [(0, 0, 0), (3, 1, 4), (2, 2, 1)]:
        for found, right in zip(
            coalitions.parts(row), by_definition(table, weights, row), strict=True
        ):
            assert found == pytest.approx(right, abs=1e-12)


def test_exact_parts_add_up_in_every_cell():
    table, weights = a_table((2, 6, 1, 3))
    coalitions = Coalitions(table, weights)
    base = coalitions.known((0, 0, 0, 0), [False] * 4)
    for row in table.grid.rows():
        sums = [
            math.fsum([b, *column])
            for b, column in zip(base, zip(*coalitions.parts(row), strict=True), strict=True)
        ]
        assert sums == pytest.approx(table.score([row])[0], abs=1e-12)


def test_importance_is_the_mean_size_of_the_parts():
    table, weights = a_table()
    coalitions = Coalitions(table, weights)
    right = [0.0] * 3
    for row in table.grid.rows():
        weight = math.prod(axis[cell] for axis, cell in zip(weights, row, strict=True))
        for at, part in enumerate(coalitions.parts(row)):
            right[at] += weight * sum(map(abs, part)) / 2
    assert coalitions.importance() == pytest.approx(right, abs=1e-12)


@pytest.mark.slow
def test_estimates_hold_the_truth_as_often_as_they_say():
    table, weights = a_table((3, 4, 3, 2), flags=1, seed=1)
    coalitions = Coalitions(table, weights)
    chance = random.Random(2)

    def draw(chance):
        return tuple(
            chance.choices(axis, weight)[0]
            for axis, weight in zip(table.grid.axes, weights, strict=True)
        )

    held = []
    for row in itertools.islice(table.grid.rows(), 60):
        found = sampled_parts(table.score, row, draw, chance, lambda: False)
        score = table.score([row])[0][0]
        assert found.base.mean[0] + sum(p.mean[0] for p in found.parts) == pytest.approx(score)
        for estimate, right in zip(found.parts, coalitions.parts(row), strict=True):
            held.append(abs(estimate.mean[0] - right[0]) <= estimate.within[0])
    assert 0.93 <= sum(held) / len(held) <= 0.97


def test_an_estimated_ladder_ends_at_the_answer():
    table, _ = a_table((3, 4, 3))
    row, background = (1, 2, 0), [(0, 0, 0), (2, 3, 2), (1, 1, 1)]
    ladder = sampled_ladder(table.score, row, [2, 0, 1], background)
    first = [np.mean(column) for column in zip(*table.score(background), strict=True)]
    assert ladder[0].mean == pytest.approx(first)
    assert ladder[-1].mean == pytest.approx(table.score([row])[0])
    assert ladder[-1].within == pytest.approx([0, 0])


def test_the_api_explains_when_asked(arkham, post):
    plain = post(ITEM).json()
    answer = post(ITEM, PATH).json()
    explained = answer.pop("explain")
    assert answer == plain
    assert explained["exact"] is True
    for flag, score in plain.items():
        parts = [scores[flag] for scores in explained["parts"].values()]
        assert math.fsum([explained["base"][flag], *parts]) == pytest.approx(score, abs=1e-12)
        assert explained["ladder"][-1]["scores"][flag] == score
    assert explained["ladder"][0]["feature"] is None
    assert {rung["feature"] for rung in explained["ladder"][1:]} == set(ITEM)
    assert Prediction.objects.count() == 2  # explaining puts nothing more on record


def test_an_array_is_explained_up_to_ten(arkham, post):
    ten = post([ITEM] * 10, PATH)
    assert [answer["explain"]["exact"] for answer in ten.json()] == [True] * 10
    refused = post([ITEM] * 11, PATH)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "explain"
    assert Prediction.objects.count() == 10


@pytest.mark.parametrize("query", ["explain=yes", "explain=", "explain=true&explain=true"])
def test_it_refuses_what_is_neither_true_nor_false(arkham, post, query):
    refused = post(ITEM, f"/api/predict?{query}")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "explain"


def test_a_csv_is_not_explained(arkham, client):
    csv = "city,villain,hour\r\nGotham,Joker,3\r\n"
    refused = client.post(PATH, csv, content_type="text/csv")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "explain"


@pytest.mark.slow
def test_the_order_may_be_stated(models_dir, post):
    metadata = bundles.METADATA | {"explain": {"order": ["villain", "planet", "city"]}}
    bundles.install(models_dir, metadata=metadata)
    explained = post(ITEM, PATH).json()["explain"]
    order = [rung["feature"] for rung in explained["ladder"]]
    assert order == [None, "villain", "city", "hour"]
    assert explained["order_from"] == "as the model's author states it"


@pytest.mark.slow
def test_the_shares_of_the_training_data_count(models_dir, post):
    metadata = bundles.METADATA | {"baseline": {"city": {"Gotham": 1, "Atlantis": 5}}}
    bundles.install(models_dir, metadata=metadata)
    explained = post(ITEM, PATH).json()["explain"]
    assert explained["parts"]["city"] == pytest.approx({"escapes": 0, "jailed": 0}, abs=1e-12)
    assert "shares of the training data" in explained["reference"]
    assert "Villain" in explained["reference"]  # of which nothing is known


@pytest.mark.slow
def test_each_feature_is_described_once(models_dir, post):
    """A text is always the same; it is not also among those whose values count the same."""
    rows = pd.DataFrame({"subject": ["bat", "cat"] * 100, "age": [n / 8 for n in range(200)],
                         "city": ["Gotham", "York"] * 100})  # fmt: skip
    columns = make_column_transformer(
        (TfidfVectorizer(), "subject"), (OneHotEncoder(), ["city"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LogisticRegression()).fit(rows, ["yes", "no"] * 100)
    save_model(model, models_dir / "letters" / "1.0.0", data=rows)
    item = {"subject": "bat", "age": 1, "city": "York"}
    explained = post(item, "/api/models/letters/predict?explain=true").json()["explain"]
    assert explained["reference"] == (
        "averages over the shares of the training data; every possible value counts the same "
        "for Age; always the same for Subject, of which no bounds are known"
    )


@pytest.mark.slow
def test_a_fallback_stands_for_an_unknown_label_on_the_ladder(models_dir, post):
    features = bundles.METADATA["features"] | {"city": {"fallback": "Metropolis"}}
    order = {"order": ["hour", "villain", "city"]}
    bundles.install(models_dir, metadata={"features": features, "explain": order})
    ladder = post(ITEM, PATH).json()["explain"]["ladder"]
    there = post(ITEM | {"city": "Metropolis"}).json()
    assert ladder[2]["scores"] == pytest.approx(there, abs=1e-12)


@pytest.mark.slow
def test_an_untested_effect_is_marked(models_dir, post):
    bundles.install(models_dir, metadata=bundles.METADATA | {"untested": {"hour": [3, "x"]}})
    tested = {r["feature"]: r["tested"] for r in post(ITEM, PATH).json()["explain"]["ladder"]}
    assert tested == {None: True, "city": True, "villain": True, "hour": False}
    ladder = post(ITEM | {"hour": 4}, PATH).json()["explain"]["ladder"]
    assert all(rung["tested"] for rung in ladder)


@pytest.fixture
def measured(models_dir):
    """A linear model without a table: a part is slope times distance from the mean."""
    rows = np.random.default_rng(0).uniform(0, 1, (100, 3))
    lookup = OrderedDict(a=0.0, b=0.0, c=0.0)
    bounds = {name: {"minimum": 0, "maximum": 1} for name in lookup}
    bundles.install(
        models_dir, estimator=LinearRegression().fit(rows, rows @ [1.0, -2.0, 0.0]),
        lookup=lookup, flags=["y"], metadata={"features": bounds},
    )  # fmt: skip


@pytest.mark.slow
def test_without_a_table_it_is_estimated(measured, post):
    case = {"a": 0.9, "b": 0.1, "c": 0.4}
    explained = post(case, PATH).json()["explain"]
    assert explained["exact"] is False
    assert explained["pairs"] == 200
    for name, right in {"a": 0.4, "b": 0.8, "c": 0.0}.items():
        within = explained["within"][name]["y"]
        assert abs(explained["parts"][name]["y"] - right) <= 3 * within + 1e-9
    assert post(case, PATH).json()["explain"] == explained  # the same question, the same answer
    order = [rung["feature"] for rung in explained["ladder"]]
    assert order == [None, "b", "a", "c"]


def test_a_slow_model_answers_without_an_explanation(measured, post, client, monkeypatch):
    monkeypatch.setattr(attribution, "SECONDS", 0.0)
    answer = post({"a": 0.9, "b": 0.1, "c": 0.4}, PATH)
    assert answer.status_code == 200
    assert "too slow" in answer.json()["explain"]["problem"]
    german = {"Accept-Language": "de"}
    case = {"a": 0.9, "b": 0.1, "c": 0.4}
    drawn = client.get("/arkham/why", case, headers=german).json()["html"]
    assert "Das Modell ist zu langsam, um seine Antwort" in drawn
    assert "data-why" in drawn  # the key to try it again
    assert drawn.count("<li>") == 4  # and no empty screen
    assert isinstance(answer.json()["y"], float)


def test_what_fails_meanwhile_says_no_more_than_an_answer_that_fails(measured, client, monkeypatch):
    def failing(*_):
        raise ScoringError("the model failed: ValueError: of its own")

    monkeypatch.setattr(attribution, "sampled_parts", failing)
    case = {"a": 0.9, "b": 0.1, "c": 0.4}
    german = {"Accept-Language": "de"}
    drawn = client.get("/arkham/why", case, headers=german).json()["html"]
    assert "keine Antwort: das Modell gab auf diese Anfrage keinen brauchbaren Wert" in drawn
    assert "of its own" not in drawn


def test_a_flag_called_explain_keeps_its_name(models_dir, post):
    tree = DecisionTreeClassifier().fit([[0], [1]], [0, 1])
    bundles.install(
        models_dir, estimator=tree, lookup={"x": {"a": 0, "b": 1}}, flags=["explain", "no"],
        metadata={},
    )  # fmt: skip
    assert post({"x": "a"}).json() == {"explain": 1.0, "no": 0.0}
    assert post({"x": "a"}, PATH).status_code == 400


def test_every_answer_of_the_page_says_why(arkham, client):
    page = client.post("/arkham/", ITEM).content.decode()
    assert "The average answer" in page
    assert "not cause" in page
    assert "Shapley" in page


def test_the_page_explains_an_estimate_when_asked(measured, client):
    case = {"a": "0.9", "b": "0.1", "c": "0.4"}
    page = client.post("/arkham/", case).content.decode()
    assert "The average answer" not in page
    assert "Explain this answer" in page
    drawn = client.get("/arkham/why", case).json()["html"]
    assert "±" in drawn
    assert "200 pairs" in drawn
    assert Prediction.objects.count() == 1
    number = Prediction.objects.get().id
    assert "±" in client.get(f"/arkham/case/{number}?why=true").content.decode()


@pytest.mark.slow
def test_what_was_prepared_is_kept_for_a_few_versions(models_dir, post):
    for number in range(5):
        bundles.install(
            models_dir, f"m{number}", metadata=bundles.METADATA | {"title": f"{number}"}
        )
        assert post(ITEM, f"/api/models/m{number}/predict?explain=true").status_code == 200
    assert len(attribution._coalitions) <= 4
    assert attribution.is_exact(serving().active("m0"))


CASE = "/admin/predictor/prediction/{}/change/"


def sheet(client, query=""):
    """The explanation on admin's page of the only case."""
    page = client.get(CASE.format(Prediction.objects.get().id) + query).content.decode()
    shown = page.partition('id="why"')[2].partition("</section>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown))


def test_admin_shows_the_same(arkham, post, admin_client):
    found = post(ITEM, PATH).json()["explain"]
    row = Prediction.objects.get()
    said = sheet(admin_client, "?why=true")
    for rung in found["ladder"]:
        assert f"{rung['scores'][row.top_flag]:.4f}" in said
    for part in found["parts"].values():
        assert f"{part[row.top_flag]:+.4f}".replace("-", "\N{MINUS SIGN}", 1) in said
    assert found["reference"] in said
    assert "attribution, not cause" in said


def test_admin_asks_an_estimator_only_when_it_is_wanted(arkham, post, admin_client, monkeypatch):
    monkeypatch.setattr("predictor.admin.why.is_exact", lambda model: False)
    monkeypatch.setattr("predictor.predictions.attribution.is_exact", lambda model: False)
    post(ITEM)
    monkeypatch.setattr("predictor.admin.why.attribute", lambda *asked: pytest.fail("it asked"))
    assert "Explain this answer" in sheet(admin_client)
    monkeypatch.setattr("predictor.admin.why.attribute", attribution.attribute)
    said = sheet(admin_client, "?why=true")
    assert "±" in said
    assert "pairs of orders" in said


def test_admin_says_why_it_cannot_say(arkham, post, admin_client):
    post(ITEM)
    Prediction.objects.update(sha256="0" * 64)
    assert "does not answer now" in sheet(admin_client)
    Prediction.objects.update(sha256=serving().active("arkham").sha256, inputs={"city": "Gotham"})
    assert "does not keep what was asked as it was" in sheet(admin_client)
    Prediction.objects.update(model="metropolis")
    assert "there is no model" in sheet(admin_client)
