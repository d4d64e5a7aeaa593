"""/<model>/card: a model's training data, quality and limits."""

import re

import pytest
from sklearn.dummy import DummyClassifier

from tests import bundles

pytestmark = pytest.mark.django_db

METADATA = {
    "title": "Who gets away?",
    "description": "The share of similar escapes.",
    "data": {
        "source": "Arkham's books",
        "rows": 12345,
        "source_url": "https://example.org/books",
        "nested": {"no": "place"},
    },
    "metrics": {"log_loss": 0.25},
    "limits": ["Says nothing about any person.", "<script>alert(1)</script>", 3],
    "training": {"seed": 7},
}


def card(client, models_dir, metadata):
    bundles.install(models_dir, metadata=metadata)
    response = client.get("/arkham/card")
    assert response.status_code == 200
    return response.content.decode()


def rows(page):
    return dict(re.findall(r"<th[^>]*>(.*?)</th><td[^>]*>(.*?)</td>", page))


def test_it_works(client, models_dir):
    page = card(client, models_dir, METADATA)
    found = rows(page)
    assert found["source"] == "Arkham&#x27;s books"
    assert found["rows"] == "12,345"
    assert found["log loss"] == "0.25"
    assert found["version"] == "1.0.0"
    assert found["seed"] == "7"
    assert "nested" not in found
    assert "The share of similar escapes." in page
    assert '<h1 id="card-title" dir="auto">Who gets away?</h1>' in page
    assert '<a href="https://example.org/books"' in found["source url"]
    assert '<li dir="auto">Says nothing about any person.</li>' in page
    assert "<script>alert" not in page


def test_every_feature_says_what_it_takes(client, models_dir):
    lookup = {"city": [f"City {n}" for n in range(9)], "mask": ["yes", "no"], "height": 0}
    described = {"height": {"unit": "cm", "minimum": 0, "maximum": 1234.5, "help": "Without hat."}}
    estimator = DummyClassifier().fit([[0] * 3] * 2, [0, 1])
    bundles.install(models_dir, "arkham", "1.0.0", estimator, lookup, bundles.FLAGS,
                    {"features": described})  # fmt: skip
    found = rows(client.get("/arkham/card").content.decode())
    assert found["City"] == "City 0, City 1, City 2, City 3, City 4, City 5, and 3 more"
    assert found["Mask"] == "yes, no"
    assert found["Height"] == "Without hat. A number from 0 to 1234.5 (cm)"
    german = client.get("/arkham/card", headers={"Accept-Language": "de"}).content.decode()
    assert "und 3 weitere" in german
    assert "Eine Zahl von 0 bis 1234,5 (cm)" in german


def test_the_console_links_to_it(client, models_dir):
    bundles.install(models_dir)
    assert 'href="/arkham/card"' in client.get("/arkham/").content.decode()


@pytest.mark.parametrize("metadata", [None, {"limits": "none", "metrics": {}, "training": 3}])
def test_a_model_that_says_little_has_a_short_card(client, models_dir, metadata):
    page = card(client, models_dir, metadata)
    assert set(bundles.FLAGS) <= set(rows(page))
    assert "Limits" not in page


def test_there_is_none_of_a_model_that_is_not_there(client, models_dir):
    bundles.install(models_dir)
    assert client.get("/arkhan/card").status_code == 404


def test_a_figure_has_a_sentence(client, models_dir):
    metrics = {"auc": 0.7461, "calibration_error": 0.0057, "tested_on": "May", "my own": 3.5}
    page = card(client, models_dir, {"metrics": metrics})
    assert "gave the first the higher score in 75." in page
    assert "differ by 0.6 points of a hundred" in page
    assert rows(page)["my own"] == "3.5"
    assert rows(page)["tested on"] == "May"


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, True, float("nan"), 1e300, -1])
def test_odd_figures_break_no_card(client, models_dir, value):
    odd = [{"stated": value, "actual": value, "n": value, "label": value, "feature": value}, value]
    metadata = {
        "metrics": {"auc": value, "log_loss": value},
        "slices": [each for each in odd if isinstance(each, dict)],
        "reliability": {"jailed": odd, "no flag": odd, "escapes": value},
    }
    assert "Arkham" in card(client, models_dir, metadata | {"title": "Arkham"})


def test_reliability_is_drawn(client, models_dir):
    groups = [{"stated": 0.25, "actual": 0.5, "n": 100}, {"stated": 0.75, "actual": 0.7, "n": 400}]
    page = card(client, models_dir, {"reliability": {"jailed": groups}})
    assert '<circle cx="25.0" cy="50.0"' in page
    assert "stated 75.0 %, happened 70.0 %, of 400" in page


def test_slices_importance_and_shares_are_shown(client, models_dir):
    metadata = {
        "slices": [{"feature": "city", "label": "Gotham", "n": 1200, "flag": "jailed",
                    "stated": 0.3, "actual": 0.4}],
        "baseline": {"city": {"Gotham": 0.5, "Metropolis": 0.3, "Blüdhaven": 0.2}},
    }  # fmt: skip
    page = card(client, models_dir, bundles.METADATA | metadata)
    assert ">1,200</td>" in page
    assert ">30.0 %</td>" in page
    assert "What moves the answer" in page
    assert re.search(r"Gotham</span>.*?50.0 %", page, re.DOTALL)


def test_outcomes_are_beside_the_promises_for_those_who_may_see_them(
    client, admin_client, models_dir, post
):
    bundles.install(models_dir, metadata={"metrics": {"log_loss": 0.25}})
    identity = post(bundles.ITEM).headers["X-Prediction-Id"]
    post({"outcome": "jailed"}, path=f"/api/predictions/{identity}/outcome")
    page = admin_client.get("/arkham/card")
    assert "1 outcome reported until" in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert "outcome reported until" not in client.get("/arkham/card").content.decode()
