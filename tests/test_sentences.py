"""The server's refusals in the language of the page."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

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
PREDICTOR = Path(__file__).parent.parent / "predictor"
# What pages ask; what only programs or administrators ask is answered in English.
ROOMS = [
    "artifacts/errors.py", "artifacts/inputs.py", "artifacts/kinds/*.py", "artifacts/outputs.py",
    "artifacts/scoring.py", "artifacts/wrong_values.py", "keys/rates.py", "log/errors.py",
    "log/notes.py", "predictions/attribution.py", "predictions/background.py",
    "predictions/ladder.py", "predictions/sensitivity.py", "serving/current.py",
    "serving/errors.py", "serving/version_loader.py", "spreadsheets/*.py",
]  # fmt: skip
REFUSALS = {"Abstention", "FieldError", "ModelUnavailable", "Unexplained", "UnreadableCSV",
            "UnreadableWorkbook", "WrongValueError", "__init__", "_refused",
            "_unreadable"}  # fmt: skip


def text_of(node: ast.expr, names: dict[str, ast.expr]) -> str:
    """A text in the source with 9 for each placeholder; empty if it is not a text."""
    if isinstance(node, ast.Name):
        return text_of(names[node.id], {}) if node.id in names else ""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part, {}) or "9" for part in node.values)
    return ""


def refused_in(path: Path) -> Iterator[str]:
    """The sentences that a module refuses something with."""
    for function in ast.walk(ast.parse(path.read_text())):
        if not isinstance(function, ast.FunctionDef):
            continue
        set_here = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
        named = {
            name.id: node.value for node in set_here for name in node.targets
            if isinstance(name, ast.Name)
        }  # fmt: skip
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                texts = [text_of(argument, named) for argument in node.args]
                yield from (t for t in texts if name in REFUSALS and " " in t)


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


def test_every_refusal_that_a_page_can_show_is_known():
    paths = [path for room in ROOMS for path in PREDICTOR.glob(room)]
    refused = {sentence for path in paths for sentence in refused_in(path)}
    assert len(refused) > 50
    with override("de"):
        assert [sentence for sentence in refused if in_language(sentence) == sentence] == []


ALIKE = "every possible value counts the same for A"
FIXED = "always the same for B, of which no bounds are known"


@pytest.mark.parametrize(
    "sentence",
    [
        "a case that the explanation needs has no answer: the model did not answer within 2 s",
        "the model cannot answer these values: its score is not a finite number",
        f"averages in which every possible value counts the same; {FIXED}",
        f"averages over the shares of the training data; {ALIKE}; {FIXED}",
        "the first 200 cases the version was asked",
    ],
)
def test_a_sentence_in_a_sentence_is_known_too(sentence):
    with override("de"):
        assert not ENGLISH.search(in_language(sentence))


@pytest.mark.slow
@pytest.mark.parametrize("model", ["kinds", "numbers", "labels", "names", "one"])
def test_no_kind_is_refused_in_english(models_dir, model):
    """Every kind of feature with every kind of value."""
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
