"""/<model>/card: what a model was trained on, how good it is, and what it is not for."""

import re

import pytest

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
