"""The console in German: no word of ours is left out, and numbers are read and written so."""

import ast
import gettext
import re
from itertools import pairwise
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

from predictor.models import Prediction
from tests import bundles
from tests.bundles import ITEM

BATCLIENT = Path(__file__).parent.parent / "batclient"
CATALOGUES = sorted(BATCLIENT.glob("locale/*/LC_MESSAGES"))
CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "gettext_noop"}
GERMAN = {"Accept-Language": "de-AT, en;q=0.5"}


def messages(source):
    """The texts that ``source`` marks for translation; for a plural, both forms."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            count = 2 if node.func.id == "ngettext" else 1
            yield from (a.value for a in node.args[:count] if isinstance(a, ast.Constant))


def wanted():
    """Every text of the package that is to be translated."""
    found = set()
    for path in BATCLIENT.glob("*.py"):
        found |= set(messages(path.read_text()))
    for path in BATCLIENT.glob("templates/**/*.html"):
        for call in re.findall(r"n?gettext\(.*?\) ", templatize(path.read_text()) + " "):
            found |= set(messages(call.strip()))
    return found


def catalogue(folder):
    with (folder / "django.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


@pytest.mark.parametrize("folder", CATALOGUES, ids=lambda folder: folder.parent.name)
def test_no_string_is_left_out(folder):
    known = catalogue(folder)._catalog
    texts = {key if isinstance(key, str) else key[0] for key in known}
    plurals = set(
        re.findall(r'^msgid_plural "(.*)"$', (folder / "django.po").read_text(), re.MULTILINE)
    )
    words = wanted()
    assert len(words) > 130
    assert words - texts - plurals == set()
    assert all(known.values())


@pytest.mark.parametrize("folder", CATALOGUES, ids=lambda folder: folder.parent.name)
def test_what_is_compiled_is_what_is_written(folder):
    written = (folder / "django.po").read_text().replace('"\n"', "")
    known = catalogue(folder)
    lines = [line for line in written.splitlines() if line.startswith("msg")]
    for first, second in pairwise(lines):
        if first.startswith("msgid ") and second.startswith("msgstr "):
            key, text = (ast.literal_eval(line.split(" ", 1)[1]) for line in (first, second))
            assert not key or known.gettext(key) == text


@pytest.mark.parametrize("folder", CATALOGUES, ids=lambda folder: folder.parent.name)
def test_what_is_filled_in_is_the_same(folder):
    for key, text in catalogue(folder)._catalog.items():
        original = key if isinstance(key, str) else key[0]
        if original:
            holes = r"%\(\w+\)[sd]|\{\w+\}|%%|%[YmdHM]"
            assert set(re.findall(holes, text)) == set(re.findall(holes, original)), original


@pytest.mark.slow
@pytest.mark.django_db
def test_it_is_in_german_for_those_who_ask(models_dir, client):
    metadata = {"features": {"hour": {"minimum": 0.5, "maximum": 20}}}
    bundles.install(models_dir, metadata=metadata)
    page = client.get("/arkham/", headers=GERMAN).content.decode()
    assert '<html lang="de" dir="ltr">' in page
    assert "Berechnen" in page
    assert "Eine Zahl von 0,5 bis 20." in page
    answered = client.post("/arkham/", ITEM | {"hour": "1,5"}, headers=GERMAN).content.decode()
    row = Prediction.objects.get()
    assert row.inputs["hour"] == 1.5
    assert f"{row.time:%d.%m.%Y, %H:%M} UTC" in answered
    assert re.search(r"\d+,\d %", answered)
    assert not re.search(r"\d+\.\d %", answered)
    assert " von 10" in answered
    assert "Diese Antwort erklären" in answered
    refused = client.post("/arkham/", ITEM | {"hour": "1.000,5"}, headers=GERMAN)
    assert refused.status_code == 400


@pytest.mark.django_db
def test_a_choice_is_remembered(arkham, client):
    sent = client.post("/language", {"language": "de", "next": "/arkham/?hour=3"})
    assert sent["Location"] == "/arkham/?hour=3"
    assert client.cookies["django_language"]["max-age"] >= 30 * 24 * 3600
    assert '<html lang="de"' in client.get("/arkham/").content.decode()
    client.post("/language", {"language": "en-gb", "next": "/"})
    assert '<html lang="en-gb"' in client.get("/", headers=GERMAN).content.decode()
    away = client.post("/language", {"language": "de", "next": "https://example.org/"})
    assert away["Location"] == "/"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/nowhere", "/admin/login/"])
def test_programs_and_administrators_are_answered_in_english(arkham, client, path):
    plain, german = client.get(path), client.get(path, headers=GERMAN)
    masked = re.compile(rb'value="\w{64}"')  # the form's token
    assert masked.sub(b"", plain.content) == masked.sub(b"", german.content)
