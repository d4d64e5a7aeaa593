"""The what-if scope of a number: a curve that the server draws, and the words around it."""

import re

import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression

from predictor.artifacts.errors import Abstention
from predictor.artifacts.version import ModelVersion
from predictor.models import Prediction
from tests import bundles
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db
WIND = {"title": "Wind", "unit": "m/s", "minimum": 0, "maximum": 40}
CASE = ITEM | {"hour": "12.5", "vary": "hour"}


def install(models_dir, described=WIND):
    bundles.install(models_dir, metadata={"features": {"hour": described}})


def drawn(client, **more):
    return client.get("/arkham/what-if", CASE | more).json()["html"]


def pieces(html):
    """The curve's stretches, each a list of places."""
    line = re.search(r'class="graph-line" d="M([^"]*)"', html)[1]
    return [[tuple(map(float, p.split())) for p in s.split(" L")] for s in line.split(" M")]


def test_it_works(models_dir, client):
    install(models_dir)
    html = drawn(client)
    (line,) = pieces(html)
    rows = re.findall(r'data-x="(.*?)" data-y="(.*?)".*?>([\d.]+) m/s</a></th><td>(.*?) %', html)
    assert len(rows) == len(line) == 22
    for (x, y), (shown_x, shown_y, value, score) in zip(line, rows, strict=True):
        assert (x, y) == (float(shown_x), float(shown_y))
        assert x == pytest.approx(float(value) / 40 * 100, abs=0.01)
        assert 100 - y == pytest.approx(float(score), abs=0.06)
    assert 'aria-current="true">12.5 m/s' in html
    assert 'class="graph-own" d="M31.25 0V100"' in html
    assert re.search(r'aria-valuetext="12.5 m/s: [\d.]+ %"', html)
    assert not Prediction.objects.exists()


def test_without_scripts_it_is_the_same_and_leads_to_each_case(models_dir, client):
    install(models_dir)
    page = client.get("/arkham/", CASE).content.decode()
    assert pieces(page) == pieces(drawn(client))
    assert '<a href="?city=Gotham&amp;villain=Joker&amp;hour=14&amp;vary=hour#what-if">' in page
    assert "batclient/curve.js" in page


def test_a_model_of_lists_needs_nothing_of_it(arkham, client):
    page = client.get("/arkham/").content.decode()
    assert "curve.js" not in page
    assert "curve.css" not in page


@pytest.mark.slow
def test_it_says_what_is_not_drawn(models_dir, client, monkeypatch):
    bundles.install(
        models_dir, estimator=DummyClassifier(strategy="prior").fit([[0] * 3] * 2, [0, 1]),
        metadata={
            "features": {"hour": {"missing": True}}, "baseline": {"hour": {"0": 0.5, "40": 0.5}},
        },
    )  # fmt: skip
    html = drawn(client, hour="99")
    assert "as far as the training data go" in html
    assert re.search(r"Where the value is unknown: [\d.]+ %\.", html)
    assert "case&#x27;s 99 is outside this range" in html
    assert "graph-own" not in html
    assert "dashed" not in html
    score = ModelVersion.score

    def silent(model, rows):
        for place, row in enumerate(rows):
            if row[2] in (10, 12):
                raise Abstention("too calm", ["hour"], place)
        return score(model, rows)

    monkeypatch.setattr(ModelVersion, "score", silent)
    html = drawn(client)
    assert "no answer at these values: 10; 12." in html
    assert [len(piece) for piece in pieces(html)] == [5, 15]


@pytest.mark.slow
def test_a_number_of_unknown_range_is_named(models_dir, client):
    install(models_dir, {"title": "Wind", "minimum": 0})
    assert "No curve for Wind: neither bounds" in client.get("/arkham/").content.decode()
    bundles.install(
        models_dir, "alone", lookup={"level": 0}, flags=["value"],
        estimator=LinearRegression().fit([[0], [1]], [0, 1]), metadata={},
    )  # fmt: skip
    page = client.get("/alone/").content.decode()
    assert "No curve for Level" in page
    assert "data-plot" not in page


def test_numbers_are_drawn_from_their_lowest_to_their_highest(models_dir, client):
    bundles.install(
        models_dir, lookup={"level": 0}, flags=["value"],
        estimator=LinearRegression().fit([[0], [1]], [1000, 1001]),
        metadata={"features": {"level": {"minimum": 0, "maximum": 10}}},
    )  # fmt: skip
    html = client.get("/arkham/what-if", {"level": "5", "vary": "level"}).json()["html"]
    (line,) = pieces(html)
    assert (line[0], line[-1]) == ((0, 100), (100, 0))
    assert "Lowest at 0: 1,000. Highest at 10: 1,010." in html


def test_no_number_is_finer_than_the_drawing(models_dir, client):
    bundles.install(
        models_dir, lookup={"level": 0}, flags=["value"],
        estimator=LinearRegression().fit([[0], [1]], [7.654321, 11.654321]),
        metadata={"features": {"level": {"minimum": 0, "maximum": 10}}},
    )  # fmt: skip
    html = client.get("/arkham/what-if", {"level": "5", "vary": "level"}).json()["html"]
    assert "Lowest at 0: 7.65. Highest at 10: 47.65." in html
    assert "27.6543" in html, "what is read off is as exact as an answer"


def test_it_is_drawn_in_german_with_points_for_the_drawing(models_dir, client):
    install(models_dir)
    german = {"Accept-Language": "de"}
    html = client.get("/arkham/what-if", CASE, headers=german).json()["html"]
    assert "12,5 m/s" in html
    assert pieces(html) == pieces(drawn(client))


def test_a_map_has_a_number_in_steps(models_dir, client):
    install(models_dir)
    page = client.get("/arkham/map", ITEM | {"rows": "city", "columns": "hour"}).content.decode()
    heads = re.findall(r'<th scope="col" data-value="(.*?)"', page)
    assert (heads[0], heads[-1], len(heads)) == ("0", "40", 11)
