"""The console's HTML from the server: its content, answers and refusals."""

import re
from uuid import UUID

import pytest
from django.test import Client
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

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


@pytest.mark.parametrize("number", ["1234567", "123456.78", "1000000", "-1.2345678e-05"])
def test_a_number_is_printed_with_all_its_digits(models_dir, client, number):
    hour = {"minimum": -1234567.5, "maximum": 1234567.5}
    bundles.install(models_dir, metadata={"features": {"hour": hour}})
    page = client.post("/arkham/", ITEM | {"hour": number}).content.decode()
    assert f'<dd dir="auto">{number}</dd>' in page
    assert "A number from -1234567.5 to 1234567.5." in page


def parts(html):
    """The parts that an answer changes, without its number and time."""
    html = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d\d:\d\d UTC", "", html)
    return [part.strip() for part in re.split(r"(?=<\w+ class=[^>]* data-part=)", html)]


def test_the_script_gets_the_parts_as_the_page_draws_them(arkham, client):
    drawn = parts(client.post("/arkham/", ITEM, headers=JSON).json()["html"])
    assert len(drawn) == 4 + 1  # dials, screen, printout, why, and nothing before them
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
    assert "broken" in client.get("/").content.decode()  # the other models' pages still work


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
    page = client.get("/", headers={"Accept-Language": "fr"}).content.decode()
    assert '<html lang="en-gb" dir="ltr">' in page


def test_what_if_works_as_links(arkham, client):
    page = client.get("/arkham/", ITEM | {"vary": "city"}).content.decode()
    ranked = re.findall(r'<li><a href="\?(city=[^"]*)".*?<b>(.*?)</b>', page)
    assert len(ranked) == 3
    shares = [float(text.removesuffix(" %")) for _, text in ranked]
    assert shares == sorted(shares, reverse=True)


def test_what_if_writes_scores_as_the_printout_does(arkham, client):
    answered = client.get("/arkham/what-if", ITEM | {"vary": "city"}).json()["options"]
    for option in answered:
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


@pytest.mark.slow
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
    reported = client.post(f"/arkham/outcome/{number}", {"outcome": "jailed"})
    assert reported.json()["outcome"] == "jailed"


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


def test_the_first_press_is_answered_whatever_the_model(models_dir, client):
    """The initial values of the form are a complete case."""
    lookup = {"city": {"Gotham": 0, "Metropolis": 1}, "villain": {"Joker": 0}, "hour": 0}
    metadata = {
        "features": {"hour": {"minimum": 2.5, "maximum": 9}},
        "baseline": {"city": {"Gotham": 0.2, "Metropolis": 0.7, "Atlantis": 3}},
    }
    bundles.install(models_dir, lookup=lookup, metadata=metadata)
    page = client.get("/").content.decode()
    chosen = re.findall(r'<option value="([^"]+)" selected>', page)
    assert chosen[:2] == ["Metropolis", "Joker"]  # the commonest, and the only one
    assert (
        client.post("/", {"city": chosen[0], "villain": chosen[1], "hour": "2.5"}).status_code
        == 200
    )
    assert 'value="2.5"' in page


def test_a_form_opens_with_the_first_example_and_before_it_the_defaults(models_dir, client):
    metadata = {
        "features": {"hour": {"default": 9}},
        "examples": {"night": {"city": "Metropolis", "villain": "Riddler", "hour": 3}},
        "baseline": {"city": {"Gotham": 1}},
    }
    bundles.install(models_dir, metadata=metadata)
    page = client.get("/").content.decode()
    chosen = re.findall(r'<option value="([^"]+)" selected>', page)
    assert chosen[:2] == ["Metropolis", "Riddler"]
    assert 'value="9"' in page


def test_surprises_follow_the_shares_of_the_training_data(models_dir, client):
    metadata = bundles.METADATA | {
        "baseline": {"city": {"Metropolis": 1}, "hour": {"5": 1, "7": 0}}
    }
    bundles.install(models_dir, metadata=metadata)
    drawn = [client.get("/arkham/surprise", headers=JSON).json() for _ in range(20)]
    assert {case["city"] for case in drawn} == {"Metropolis"}
    assert {case["hour"] for case in drawn} == {"5"}
    assert len({case["villain"] for case in drawn}) > 1
    sent = client.get("/arkham/surprise")
    assert sent["Location"].startswith("/arkham/?city=Metropolis&villain=")
    assert "no-cache" in sent["Cache-Control"]
    assert client.post("/arkham/", drawn[0]).status_code == 200


@pytest.mark.parametrize(
    ("text", "said"),
    [("1,5", "not the text"), ("abc", "not the text"), ("1_0", "not the text"), ("", "required")],
)
def test_a_number_is_read_by_the_server_s_own_rule(models_dir, client, text, said):
    bundles.install(models_dir, metadata={"features": {"hour": {"maximum": 20, "help": "Of day."}}})
    answer = client.post("/", ITEM | {"hour": text})
    assert answer.status_code == 400
    page = answer.content.decode()
    wrong = re.search(r'data-control="hour".*?data-error[^>]*>(.*?)</p>', page, re.DOTALL)[1]
    assert said in wrong
    assert f'value="{text}"' in page
    assert "Of day." in page
    assert "A number, 20 or less." in page  # help hides no bounds
    assert 'type="number"' not in page


def lengths(html):
    """(beginning, length, words) of each bar of a ranking, in per cent of the axis."""
    ranking = html[html.index('class="ranking"') :].partition("</ol>")[0]
    found = re.findall(
        r'<rect class="bar-fill"(?: x="([\d.]+)")? width="([\d.]+)".*?<b>(.*?)</b>', ranking
    )
    return [(float(start or 0), float(length), words) for start, length, words in found]


def test_what_if_bars_are_as_long_as_their_numbers_say(arkham, client):
    html = client.get("/arkham/what-if", ITEM | {"vary": "villain"}).json()["html"]
    assert len(lengths(html)) == 4
    for start, length, words in lengths(html):
        assert start == 0
        assert length == pytest.approx(float(words.removesuffix(" %")), abs=0.05)
    assert "<span>100 %</span>" in html


def test_what_if_bars_of_numbers_have_an_axis(models_dir, client):
    estimator = LinearRegression().fit(
        [[0, 0, 0], [2, 0, 0], [0, 1, 0], [0, 0, 1]], [-10, 30, -10, -10]
    )
    outputs = {"ransom": {"unit": "USD"}}
    bundles.install(
        models_dir, estimator=estimator, flags=["ransom"],
        metadata={"outputs": outputs, "features": {"city": {"unit": "city"}}},
    )  # fmt: skip
    html = client.get("/arkham/what-if", ITEM | {"vary": "city", "hour": "0"}).json()["html"]
    assert re.findall("<span>([^<]*)</span>", html[: html.index("<ol")]) == ["-10 USD", "30 USD"]
    assert lengths(html) == [(25, 75, "30 USD"), (25, 25, "10 USD"), (0, 25, "-10 USD")]
    assert "Gotham city" in html
    printout = client.post("/", ITEM | {"hour": 0}, headers=JSON).json()
    assert (printout["odds"], printout["verdicts"][0]["text"]) == ("-10 USD", "-10 USD")
    assert printout["case"][0]["shown"] == "Gotham city"


@pytest.mark.slow
def test_what_if_asks_about_the_verdict_of_many(models_dir, client):
    estimator = DecisionTreeClassifier().fit([[0, 0, 0], [1, 0, 0], [2, 0, 0]], [0, 1, 2])
    bundles.install(models_dir, estimator=estimator, flags=["a", "b", "c"], metadata={})
    for city, flag in zip(bundles.CITIES, "abc", strict=True):
        asked = client.get("/arkham/what-if", ITEM | {"city": city, "vary": "villain"}).json()
        assert asked["flag"] == flag
        page = client.post("/arkham/", ITEM | {"city": city}).content.decode()
        assert f'<option value="{flag}" selected>' in page
    named = client.get("/arkham/what-if", ITEM | {"vary": "villain", "flag": "a"}).json()
    assert named["flag"] == "a"


def test_many_models_are_a_menu(arkham, models_dir, client):
    assert "data-models" not in client.get("/").content.decode()
    for number in range(6):
        bundles.install(models_dir, f"m{number}", metadata={"title": f"Model {number}"})
    page = client.get("/").content.decode()
    assert "<summary>" in page
    assert "7 models" in page
    assert page.count('<li><a href="/m') == 6


def test_features_of_a_group_share_one_bank_wherever_they_are(models_dir, client):
    features = {"city": {"group": "Who"}, "villain": {"group": "When"}, "hour": {"group": "Who"}}
    bundles.install(models_dir, metadata={"features": features})
    page = client.get("/").content.decode()
    assert re.findall(r"<legend[^>]*>(.*?)</legend>", page)[:-1] == ["Who", "When"]


def test_browsers_find_what_they_look_for(arkham, client):
    robots = client.get("/robots.txt")
    assert robots["Content-Type"].startswith("text/plain")
    assert "Disallow: /admin/" in robots.content.decode()
    described = client.get("/manifest.webmanifest").json()
    assert described["start_url"] == "/"
    assert [icon["sizes"] for icon in described["icons"]] == ["192x192", "512x512"]
    assert client.get("/favicon.ico")["Location"].endswith("favicon.ico")
    page = client.get("/").content.decode()
    for link in ("apple-touch-icon", "manifest", 'property="og:image"'):
        assert link in page
