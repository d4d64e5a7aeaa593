"""What the server refuses, in the language of the page that shows it."""

import re

import pytest
from django.utils.translation import override

from batclient.sentences import in_language
from predictor.artifacts.errors import InvalidInput
from predictor.serving.loading import load_beside
from tests.browser.models import install_all
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de"}
ENGLISH = re.compile(
    r"\b(the|expected|not|number|list|text|of|this|did you|unknown|whole|true or)\b"
)


def test_it_works(arkham, client):
    page = client.post("/arkham/", ITEM | {"villain": "Jokr", "hour": "99"}, **GERMAN)
    shown = page.content.decode()
    assert "&quot;Jokr&quot; ist nicht bekannt; ist &quot;Joker&quot; gemeint?" in shown
    assert "erwartet wird eine ganze Zahl von 0 bis 23, nicht 99" in shown


def test_scripts_are_answered_likewise(arkham, client):
    asked = {"HTTP_ACCEPT": "application/json"} | GERMAN
    problem = client.post("/arkham/", ITEM | {"hour": "x"}, **asked).json()
    (error,) = problem["errors"]
    sentence = 'erwartet wird eine ganze Zahl von 0 bis 23, nicht der Text "x"'
    assert error == {"field": "hour", "message": sentence}
    assert problem["detail"] == f"hour: {sentence}"
    csv = client.post(
        "/arkham/bulk", "city,villain,hour\r\nGotham,Jokr,3\r\n", "text/csv", **GERMAN
    )
    assert csv.json()["errors"][0]["field"] == "Zeile 2: villain"
    assert csv.json()["errors"][0]["suggestion"] == "Joker"


def test_the_api_stays_as_it_is(arkham, client):
    kind = "application/json"
    problem = client.post("/api/predict", ITEM | {"hour": 99}, content_type=kind, **GERMAN).json()
    assert "expected a whole number from 0 to 23, not 99" in problem["detail"]


def test_what_stands_in_a_sentence_stays_as_it_was_sent():
    with override("de"):
        said = in_language('expected a number, not the text "a list, not 3"; did you mean 4?')
    assert said == 'erwartet wird eine Zahl, nicht der Text "a list, not 3"; ist 4 gemeint?'
    with override("en"):
        assert in_language("expected a number, not null") == "expected a number, not null"
    with override("de"):
        assert in_language("a sentence of tomorrow") == "a sentence of tomorrow"


@pytest.mark.slow
@pytest.mark.parametrize("model", ["kinds", "numbers", "labels", "names", "one"])
def test_no_kind_is_refused_in_english(models_dir, model):
    """Every kind of feature, asked for every kind of value."""
    install_all(models_dir)
    version = load_beside(models_dir / model / "1.0.0", chosen=True)
    values = [None, True, 5, -1e9, 1e400, 0.5, "x", "true", "2026-13-01", "", "a" * 20_000,
              "\x00", [], [1, 2, "x"], [1], {}]  # fmt: skip
    for feature in version.contract.features:
        for value in values:
            try:
                version.encoder.encode({feature.name: value, "no such": 1})
            except InvalidInput as invalid:
                for error in invalid.errors:
                    plain = re.sub(r'"[^"]*"', "", error.message)
                    with override("de"):
                        said = re.sub(r'"[^"]*"', "", in_language(error.message))
                    assert not ENGLISH.search(said.replace("true or false", "")), (plain, said)
