"""A case on record has an address: the printout again, for those who may see it."""

import io
import json
import re
import subprocess
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.test.utils import override_script_prefix
from PIL import Image

from predictor.log import outcomes
from predictor.models import Prediction
from predictor.serving.current import serving
from tests import bundles
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db
UNKNOWN = UUID(int=0)


@pytest.fixture
def case(arkham, client):
    """The address of a case on record."""
    client.post("/arkham/", ITEM)
    return f"/arkham/case/{Prediction.objects.get().id}"


def text(page):
    return re.sub(r"\s+", " ", page.content.decode())


def test_it_works(case, client):
    row = Prediction.objects.get()
    page = client.get(case)
    assert page.status_code == 200
    shown = text(page)
    for words in (str(row.id), "Gotham", "Joker", "Back to Arkham", f"{row.time:%Y-%m-%d %H:%M}"):
        assert words in shown
    assert Prediction.objects.count() == 1  # opening it writes nothing


def test_every_printout_links_to_it(arkham, client):
    page = client.post("/arkham/", ITEM).content.decode()
    number = Prediction.objects.get().id
    assert f'href="http://testserver/arkham/case/{number}"' in page


def test_a_link_to_selectors_only_sets_them(arkham, client):
    page = client.get("/arkham/", ITEM).content.decode()
    assert '<option value="Joker" selected>' in page
    assert not Prediction.objects.exists()


def test_it_says_what_it_is_to_those_it_is_sent_to(case, client):
    shown = client.get(case).content.decode()
    properties = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)"', shown))
    title = re.search("<title>(.*?)</title>", shown)[1]
    assert properties["title"].replace(": ", " ") in title
    assert "Arkham" in title
    assert properties["url"] == f"http://testserver{case}"
    assert properties["image"] == f"http://testserver{case}.png"
    assert "Gotham" in properties["description"]
    assert 'name="robots" content="noindex"' in shown


@pytest.mark.slow
def test_the_picture_is_a_png(case, client):
    answer = client.get(f"{case}.png")
    assert answer["Content-Type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (1200, 630)
    assert len(answer.content) < 200_000
    assert Prediction.objects.count() == 1


@pytest.mark.slow
def test_the_picture_takes_any_words(models_dir, client):
    odd = ["🦇 שלום Łódź " * 20, "\u202e", "漢字", "x" * 400]
    bundles.install(models_dir, metadata={"title": odd[0], "outputs": {
        "escapes": {"title": odd[2]}, "jailed": {"title": odd[3]}}})  # fmt: skip
    client.post("/arkham/", ITEM)
    row = Prediction.objects.get()
    assert client.get(f"/arkham/case/{row.id}.png").status_code == 200


@pytest.mark.parametrize("ending", ["", ".png"])
def test_an_unknown_number_is_said_kindly(arkham, client, ending):
    answer = client.get(f"/arkham/case/{UNKNOWN}{ending}")
    assert answer.status_code == 404
    assert "no case with this number" in text(answer)
    assert client.get("/arkham/case/joker").status_code == 404


def test_a_case_is_its_own_model_s(case, models_dir, client):
    bundles.install(models_dir, "blackgate")
    assert client.get(case.replace("arkham", "blackgate")).status_code == 404


def test_it_asks_the_way_programs_do(case, client):
    page = client.get(case).content.decode()
    recipes = re.findall(r"<code>(.*?)</code>", page, re.DOTALL)
    curl, python, javascript = (recipe.replace("&quot;", '"').replace("&#x27;", "'")
                                for recipe in recipes)  # fmt: skip
    said = subprocess.run(
        ["sh", "-c", curl.replace("curl", "printf '%s\\n'")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    words = said.stdout.splitlines()
    assert words[0] == "http://testserver/api/models/arkham/predict"
    assert json.loads(words[-1]) == ITEM
    compile(python, "recipe", "exec")
    assert repr(ITEM) in python
    assert 'body: JSON.stringify({"city": "Gotham"' in javascript


@pytest.mark.slow
def test_quotes_in_a_label_break_no_recipe(models_dir, client):
    label = 'O\'Hara "the" $(reboot) `x`'
    lookup = {"city": {label: 0, "b": 1, "c": 2}, "villain": {"d": 0}, "hour": 0}
    bundles.install(models_dir, lookup=lookup, metadata={})
    client.post("/arkham/", {"city": label, "villain": "d", "hour": 1})
    page = client.get(f"/arkham/case/{Prediction.objects.get().id}").content.decode()
    curl = re.search(r"<code>(curl.*?)</code>", page, re.DOTALL)[1]
    curl = curl.replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&")
    said = subprocess.run(
        ["sh", "-c", curl.replace("curl", "printf '%s\\n'", 1)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(said.stdout.splitlines()[-1])["city"] == label


@pytest.mark.parametrize("setting", ["LOG_LEAVES_OUT", "LOG_HASHES"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_the_log_may_not_keep_stays_hidden(arkham, client, settings, setting, when):
    if when == "before":
        setattr(settings, setting, ["arkham.villain"])
    client.post("/arkham/", ITEM)
    setattr(settings, setting, ["arkham.villain"])
    case = f"/arkham/case/{Prediction.objects.get().id}"
    page = client.get(case)
    assert "Joker" not in page.content.decode()
    assert "hash:" not in page.content.decode()
    assert "not shown" in text(page)
    assert "Compute it again" not in text(page)  # of half a case it would be another
    assert "<code>" not in page.content.decode()
    assert "The average answer" not in text(page)  # its parts would give the field away


@pytest.mark.slow
def test_it_can_be_computed_again(case, client):
    page = client.get(case).content.decode()
    form = re.search(r'<form method="post" action="/arkham/">(.*?)</form>', page, re.DOTALL)[1]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    fields.pop("csrfmiddlewaretoken")
    assert client.post("/arkham/", fields).status_code == 200
    first, second = Prediction.objects.order_by("id")
    assert first.inputs == second.inputs


@pytest.mark.slow
def test_what_happened_is_said(case, client):
    row = Prediction.objects.get()
    outcomes.record_outcome(row.id, row.top_flag)
    assert "The Batcomputer was right." in text(client.get(case))
    outcomes.record_outcome(row.id, next(flag for flag in row.scores if flag != row.top_flag))
    assert "The Batcomputer was wrong." in text(client.get(case))


@pytest.mark.slow
def test_an_answer_of_an_older_version_stays_what_it_was(case, models_dir, client, settings):
    row = Prediction.objects.get()
    bundles.install(models_dir, version="2.0.0", estimator=bundles.fitted(7), flags=["x", "jailed"],
                    metadata={})  # fmt: skip
    settings.MODEL_VERSION = "arkham=2.0.0"
    serving.cache_clear()
    page = text(client.get(case))
    assert "arkham 1.0.0" in page
    assert "given by version 1.0.0; version 2.0.0 answers now" in page
    assert "escapes" in page  # a flag the new version does not have
    assert f"{row.scores['jailed']:.1%}".replace("%", " %") in page
    assert "The average answer" not in page


@pytest.mark.slow
def test_who_may_see_it(case, client, admin_client, settings):
    settings.CASE_PAGES = "login"
    for path in (case, f"{case}.png"):
        assert client.get(path)["Location"].startswith("/admin/login/?next=")
        assert admin_client.get(path).status_code == 200
    assert client.get("/arkham/").status_code == 200  # the console stays open
    settings.CASE_PAGES = "off"
    assert client.get(case).status_code == admin_client.get(case).status_code == 404
    assert "/case/" not in client.post("/arkham/", ITEM).content.decode()


def test_without_a_log_a_printout_links_to_its_selectors(arkham, client, settings):
    settings.PREDICTION_LOG = "off"
    page = client.post("/arkham/", ITEM).content.decode()
    assert "/case/" not in page
    assert 'href="http://testserver/arkham/?city=Gotham' in page


def test_it_is_below_the_base_path(case, client):
    with override_script_prefix("/bat/"):
        page = client.get(case).content.decode()
    assert f'content="http://testserver/bat{case}.png"' in page
    assert 'action="/bat/arkham/"' in page
    assert "http://testserver/bat/api/models/arkham/predict" in page


def test_an_imported_case_without_all_fields_is_shown(arkham, client):
    row = Prediction.objects.create(
        id=UNKNOWN, time=datetime.now(UTC), model="arkham", version="0.1", sha256="", duration=1,
        inputs={"city": "Atlantis", "moon": "full"}, scores={"jailed": 0.2, "escapes": 0.8},
        top_flag="escapes", source="api",
    )  # fmt: skip
    page = client.get(f"/arkham/case/{row.id}")
    assert page.status_code == 200
    assert "Atlantis" in text(page)


@pytest.mark.parametrize("setting", ["PAGES", "CASE_PAGES"])
def test_only_what_is_open_to_all_stays_in_a_browser(case, client, admin_client, settings, setting):
    assert 'data-keep="/offline.js"' in client.get(case).content.decode()
    worker = client.get("/offline.js")
    assert (worker["Content-Type"], worker["Cache-Control"]) == (
        "text/javascript; charset=utf-8", "no-cache",
    )  # fmt: skip
    setattr(settings, setting, "login")
    assert "data-keep" not in admin_client.get(case).content.decode()
