"""The console as the server draws it: what it shows, answers and refuses."""

import re
from uuid import UUID

import pytest
from django.test import Client
from sklearn.dummy import DummyClassifier, DummyRegressor

from batclient.printout import odds_in_words, score_in_words
from predictor.models import Prediction
from tests import bundles
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def test_it_works(arkham, client):
    page = client.post("/arkham/", ITEM).content.decode()
    row = Prediction.objects.get()
    assert (row.source, row.inputs) == ("page", ITEM)
    assert str(row.id) in page
    assert "Gotham" in page


def test_the_script_gets_the_same_printout(arkham, client):
    printout = client.post("/arkham/", ITEM, headers=JSON).json()
    row = Prediction.objects.get()
    assert UUID(printout["id"]) == row.id
    assert (printout["model"], printout["version"]) == ("arkham", "1.0.0")
    assert {line["flag"]: line["score"] for line in printout["verdicts"]} == row.scores
    assert printout["headline"] == printout["verdicts"][0]["title"]
    assert printout["query"] == "city=Gotham&villain=Joker&hour=3"


def parts(html):
    """The parts that an answer changes, without its number and time."""
    html = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d\d:\d\d UTC", "", html)
    return [part.strip() for part in re.split(r"(?=<\w+ class=[^>]* data-part=)", html)]


def test_the_script_gets_the_parts_as_the_page_draws_them(arkham, client):
    drawn = parts(client.post("/arkham/", ITEM, headers=JSON).json()["html"])
    assert len(drawn) == 3 + 1  # dials, screen, printout, and nothing before them
    whole = "".join(parts(client.post("/arkham/", ITEM).content.decode()))
    assert [part in whole for part in drawn] == [True] * len(drawn)


def test_the_script_gets_the_ranking_as_the_page_draws_it(arkham, client):
    query = ITEM | {"vary": "city", "flag": "escapes"}
    drawn = client.get("/arkham/what-if", query).json()["html"]
    assert "Gets away, from highest to lowest" in drawn
    assert drawn in client.get("/arkham/", query).content.decode()


def test_a_link_fills_the_selectors(arkham, client):
    page = client.get("/arkham/", {"city": "Metropolis", "hour": 5}).content.decode()
    assert '<option value="Metropolis" selected>' in page
    assert 'value="5"' in page
    assert not Prediction.objects.exists()


def test_a_link_with_a_wrong_label_says_so_beside_its_field(arkham, client):
    answer = client.get("/arkham/", {"city": "Gothem", "hour": 5})
    assert answer.status_code == 400
    page = answer.content.decode()
    wrong = re.search(r'data-control="city".*?data-error[^>]*>(.*?)</p>', page, re.DOTALL)
    assert "did you mean" in wrong[1]
    assert "this field is required" not in page
    assert 'value="5"' in page


def test_a_link_may_leave_selectors_at_their_defaults(models_dir, client):
    bundles.install(models_dir, metadata={"features": {"hour": {"default": 9}}})
    page = client.get("/", {"city": "Metropolis"}).content.decode()
    assert '<option value="Metropolis" selected>' in page
    assert 'value="9"' in page


def test_it_groups_selectors(models_dir, client):
    features = {"city": {"group": "Where"}, "villain": {"group": "Who"}, "hour": {"group": "Who"}}
    bundles.install(models_dir, metadata={"features": features})
    page = client.get("/").content.decode()
    assert re.findall(r"<legend[^>]*>(.*?)</legend>", page)[:2] == ["Where", "Who"]


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"city": "Gothem"}, "city", "did you mean"),
        ({"city": ""}, "city", "required"),
        ({"hour": "99"}, "hour", "from 0 to 23"),
        ({"hour": "ten"}, "hour", "a whole number"),
    ],
)
def test_it_rejects_a_wrong_case_beside_its_field(arkham, client, change, field, message):
    answer = client.post("/arkham/", ITEM | change)
    assert answer.status_code == 400
    wrong = re.search(
        rf'data-control="{field}".*?data-error[^>]*>(.*?)</p>', answer.content.decode(), re.DOTALL
    )
    assert message in wrong[1]
    problem = client.post("/arkham/", ITEM | change, headers=JSON)
    assert problem.status_code == 400
    assert problem["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in problem.json()["errors"]] == [field]
    assert problem["X-Model-Version"] == "1.0.0"  # the page may be of another
    assert not Prediction.objects.exists()


def test_it_says_that_a_model_is_missing(arkham, models_dir, client):
    assert client.get("/arkhan/").status_code == 404
    assert client.post("/arkhan/", ITEM, headers=JSON).json()["status"] == 404
    (bundles.install(models_dir, "broken") / "flags.pkl").write_bytes(b"?")
    answer = client.get("/broken/")
    assert answer.status_code == 503
    assert "broken" in client.get("/").content.decode()  # the other models' pages still stand


def test_the_list_of_models_loads_none(arkham, models_dir, client):
    bundles.install(models_dir, "blackgate", metadata={"title": "Blackgate prison"})
    (models_dir / "blackgate" / "1.0.0" / "model.pkl").write_bytes(b"?")
    page = client.get("/").content.decode()
    assert "Blackgate prison" in page
    (models_dir / "blackgate" / "1.0.0" / "metadata.json").write_bytes(b"?")
    assert "blackgate" in client.get("/").content.decode()


def test_every_page_has_a_strict_policy(arkham, client):
    for path in ("/", "/arkham/map", "/arkhan/"):
        policy = client.get(path)["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    page = client.get("/").content.decode()
    assert not re.findall(r"<[^>]+ (?:style|on\w+)=", page)


def test_pages_are_sent_compressed(arkham, client):
    for path in ("/", "/arkham/map"):
        page = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert page["Content-Encoding"] == "gzip"
        assert len(page.content) < len(client.get(path).content) / 2


def test_it_speaks_only_languages_it_has(arkham, client):
    page = client.get("/", headers={"Accept-Language": "de"}).content.decode()
    assert '<html lang="en-gb" dir="ltr">' in page


def test_what_if_works_as_links(arkham, client):
    page = client.get("/arkham/", ITEM | {"vary": "city"}).content.decode()
    ranked = re.findall(r'<li><a href="\?(city=[^"]*)".*?<b>(.*?)</b>', page)
    assert len(ranked) == 3
    shares = [float(text.removesuffix(" %")) for _, text in ranked]
    assert shares == sorted(shares, reverse=True)


def test_what_if_writes_scores_as_the_printout_does(arkham, client):
    told = client.get("/arkham/what-if", ITEM | {"vary": "city"}).json()["options"]
    for option in told:
        words = {flag: score_in_words(s, "probability") for flag, s in option["scores"].items()}
        assert option["words"] == words


def test_what_if_of_half_a_case_asks_for_the_rest(arkham, client):
    page = client.get("/arkham/", {"city": "Gotham", "vary": "city"}).content.decode()
    assert "Set every selector" in page


def test_a_regressor_shows_its_number(models_dir, client):
    regressor = DummyRegressor(strategy="constant", constant=[1234.5]).fit([[0] * 3], [0])
    bundles.install(models_dir, estimator=regressor, flags=["ransom"], metadata={})
    printout = client.post("/", ITEM, headers=JSON).json()
    assert printout["verdicts"][0]["text"] == "1,234.5"
    assert printout["verdicts"][0]["percent"] is None
    assert "data-dial=" not in client.get("/").content.decode()


def test_a_map_shows_every_pair(arkham, client, post):
    query = {"rows": "city", "columns": "villain", "flag": "jailed", "hour": 3}
    page = client.get("/arkham/map", query).content.decode()
    assert len(re.findall(r'<td class="heat-', page)) == 12
    lines = client.get("/arkham/map.csv", query).content.decode().splitlines()
    assert len(lines) == 4
    joker_in_gotham = float(lines[1].split(",")[1])
    assert joker_in_gotham == pytest.approx(post(ITEM).json()["jailed"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"rows": "city", "columns": "city"}, "columns"),
        ({"rows": "planet"}, "rows"),
        ({"flag": "free"}, "flag"),
        ({"hour": "99"}, "hour"),
    ],
)
def test_a_map_that_cannot_be_drawn_says_why(arkham, client, query, field):
    page = client.get("/arkham/map", query)
    assert page.status_code == 400
    assert f"{field}:" in page.content.decode()
    assert client.get("/arkham/map.csv", query).json()["errors"][0]["field"] == field


def test_a_map_that_cannot_be_drawn_keeps_what_was_asked(arkham, client):
    query = {"rows": "villain", "columns": "city", "flag": "jailed", "hour": "99"}
    page = client.get("/arkham/map", query).content.decode()
    assert 'value="99"' in page
    for chosen in ("villain", "city", "jailed"):
        assert f'<option value="{chosen}" selected>' in page


def test_a_model_of_one_list_has_no_map(models_dir, client):
    bundles.install(
        models_dir, lookup={"signal": {"off": 0, "on": 1}}, metadata={},
        estimator=DummyClassifier().fit([[0], [1]], [0, 1]),
    )  # fmt: skip
    assert client.get("/arkham/map").status_code == 404
    assert "data-map" not in client.get("/").content.decode()


def test_a_spreadsheet_takes_no_label_for_a_formula(models_dir, client):
    lookup = {"a": {"=1+1": 0, "plain": 1}, "b": {"@x": 0, "y": 1}}
    estimator = DummyClassifier().fit([[0, 0], [1, 1]], [0, 1])
    bundles.install(models_dir, lookup=lookup, metadata={}, estimator=estimator)
    text = client.get("/arkham/map.csv").content.decode()
    assert "'=1+1" in text
    assert "'@x" in text


def test_the_template_can_be_fed_back(arkham, client):
    template = client.get("/arkham/template.csv")
    assert "attachment" in template["Content-Disposition"]
    answer = client.post("/api/models/arkham/predict", template.content, content_type="text/csv")
    assert answer.status_code == 200
    assert b"escapes,jailed" in b"".join(answer.streaming_content)


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (1.0, "more than 99 in 100"),
        (0.97, "97 in 100"),
        (0.943, "9 in 10"),
        (0.55, "6 in 10"),
        (0.04, "4 in 100"),
        (0.001, "fewer than 1 in 100"),
    ],
)
def test_odds_are_said_as_people_say_them(score, words):
    assert odds_in_words(score, "probability") == words


@pytest.mark.parametrize(
    ("score", "kind", "words"),
    [
        (0.9431, "probability", "94.3 %"),
        (0.0, "probability", "0.0 %"),
        (0.0004, "probability", "< 0.1 %"),
        (0.9996, "probability", "> 99.9 %"),
        (1.0, "hard", "yes"),
        (-0.000123456, "value", "-0.000123456"),
    ],
)
def test_scores_are_short(score, kind, words):
    assert score_in_words(score, kind) == words


def test_the_scripts_need_no_key(arkham, client, settings):
    settings.API_KEY_REQUIRED = True
    asked = client.get("/arkham/what-if", ITEM | {"vary": "city"})
    assert [option["value"] for option in asked.json()["options"]] == bundles.CITIES
    rows = client.post("/arkham/bulk", "city,villain,hour\r\nGotham,Joker,3\r\n", "text/csv")
    assert b"escapes,jailed" in b"".join(rows.streaming_content)
    number = client.post("/arkham/", ITEM, headers=JSON).json()["id"]
    told = client.post(f"/arkham/outcome/{number}", {"outcome": "jailed"})
    assert told.json()["outcome"] == "jailed"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("get", "/arkham/what-if", {"vary": "planet"}, 400),
        ("get", "/nobody/what-if", {"vary": "city"}, 404),
        ("post", "/arkham/bulk", "city,villain,hour\r\nGotham,Nobody,3\r\n", 400),
        ("post", "/arkham/bulk", "", 400),
        ("post", "/arkham/outcome/01890000-0000-7000-8000-000000000000", "outcome=jailed", 404),
    ],
)
def test_it_refuses_scripts_with_a_problem(arkham, client, method, path, body, status):
    kind = {"content_type": "text/csv"} if "bulk" in path else {}
    if method == "post" and not kind:
        kind = {"content_type": "application/x-www-form-urlencoded"}
    answer = getattr(client, method)(path, body, **kind)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_scripts_from_elsewhere_are_refused(arkham):
    elsewhere = Client(enforce_csrf_checks=True)
    csv = "city,villain,hour\r\nGotham,Joker,3\r\n"
    assert elsewhere.post("/arkham/bulk", csv, content_type="text/csv").status_code == 403
    assert elsewhere.post("/arkham/", ITEM, headers=JSON).json()["status"] == 403
    assert not Prediction.objects.exists()
