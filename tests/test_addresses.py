"""A case has one query string, which every link to it uses, for any names of features."""

import re
from collections import OrderedDict
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.auth.models import User
from sklearn.dummy import DummyClassifier

from predictor.artifacts.addresses import address_of, parameter
from predictor.models import Prediction
from tests import bundles
from tests.servers import ROOT
from tests.sweeps import swept

pytestmark = pytest.mark.django_db

NAMES = [
    "vary", "rows", "columns", "flag", "csrfmiddlewaretoken", "_vary", "__vary", "größe", "a&b",
    "a#b", "a b", "a=b", "a+b", "100%", "?", "%76ary", '"', "<b>",
    "why", "part", "id", "page", "lang", "next", "name", "_", "data", "fields", "prefix",
    "__class__",
]  # fmt: skip
LABELS = ["x&y=z", "#1", "über uns", "+", "%2B", "<b>", "a;b"]
CASE = {name: LABELS[place % len(LABELS)] for place, name in enumerate(NAMES)}


class Page(HTMLParser):
    """The links of a page, and its selectors as they are set."""

    def __init__(self, html):
        super().__init__()
        self.links, self.case, self.map = [], {}, {}
        self._control = self._select = None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "href" in given:
            self.links.append(given["href"])
        if "data-control" in given:
            self._control = given["data-control"]
        if tag == "option" and "selected" in given and self._control and given["value"]:
            self.case[self._control] = given["value"]
        if "data-heat" in given:
            self.map = given

    def handle_endtag(self, tag):
        if tag == "select":
            self._control = None

    def cases(self):
        """The links to a case that is to be computed, or to a map."""
        return [link for link in self.links if "?" in link and "/case/" not in link]


@pytest.fixture
def odd(models_dir):
    lookup = OrderedDict((n, {label: code for code, label in enumerate(LABELS)}) for n in NAMES)
    rows = [[0] * len(NAMES), [1] * len(NAMES)]
    estimator = DummyClassifier(strategy="prior").fit(rows, [0, 1])
    bundles.install(models_dir, "odd", lookup=lookup, metadata={}, estimator=estimator)


@pytest.fixture
def follow(client):
    """The case on the page that a link of another page leads to."""

    def open_link(link, base="/odd/"):
        parts = urlsplit(urljoin(base, link))
        answer = client.get(f"{parts.path}?{parts.query}")
        assert answer.status_code == 200, link
        return Page(answer.content.decode()).case

    return open_link


def form(case):
    return {parameter(name): value for name, value in case.items()}


@pytest.mark.slow
def test_an_address_is_read_as_it_was_written(odd, client):
    query = client.post("/odd/", form(CASE), headers={"Accept": "application/json"}).json()["query"]
    assert query == address_of(CASE)
    assert Page(client.get(f"/odd/?{query}").content.decode()).case == CASE


@pytest.mark.slow
def test_the_server_s_own_words_are_no_part_of_the_case(odd, client, follow):
    own = {"vary": "rows", "rows": "vary", "columns": "flag", "flag": "jailed"}
    assert follow(f"?{address_of(CASE, **own)}") == CASE
    page = client.get(f"/odd/?{address_of({}, **own)}").content.decode()
    assert Page(page).case == Page(client.get("/odd/").content.decode()).case


@pytest.mark.slow
def test_every_link_of_a_printout_leads_to_its_case(odd, client, follow):
    page = Page(client.post("/odd/", form(CASE)).content.decode())
    assert len(page.cases()) == len(NAMES)  # one to vary each
    for link in page.cases():
        assert follow(link) == CASE, link


@pytest.mark.slow
@pytest.mark.parametrize("name", swept(["vary", "_vary", "a&b", "csrfmiddlewaretoken"], 1))
def test_every_row_of_the_what_if_scope_leads_to_its_case(odd, client, follow, name):
    drawn = client.get(f"/odd/what-if?{address_of(CASE, vary=name)}").json()["html"]
    found = [follow(link) for link in Page(drawn).cases()]
    assert sorted(case[name] for case in found) == sorted(LABELS)
    assert all(case | {name: CASE[name]} == CASE for case in found)
    page = Page(client.get(f"/odd/?{address_of(CASE, vary=name)}").content.decode())
    assert set(Page(drawn).cases()) <= set(page.cases())


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "columns"), [("vary", "rows"), ("flag", "a&b"), ("?", "columns")])
def test_a_map_keeps_what_it_does_not_show(odd, client, rows, columns):
    query = address_of(CASE, rows=rows, columns=columns, flag="jailed")
    page = Page(client.get(f"/odd/map?{query}").content.decode())
    held = {name: value for name, value in CASE.items() if name not in (rows, columns)}
    assert page.case == held
    assert page.map["data-query"] == address_of(held)
    assert page.map["data-rows-name"] == parameter(rows)
    assert page.map["data-columns-name"] == parameter(columns)
    (csv,) = page.cases()
    assert csv == f"/odd/map.csv?{address_of(held, rows=rows, columns=columns, flag='jailed')}"
    assert client.get(csv).status_code == 200


@pytest.mark.slow
def test_admin_s_link_opens_the_case(odd, client, follow):
    client.post("/odd/", form(CASE))
    client.force_login(User.objects.create_superuser("alfred"))
    row = Prediction.objects.get()
    record = Page(client.get(f"/admin/predictor/prediction/{row.pk}/change/").content.decode())
    (link,) = [link for link in record.links if link.startswith("/odd/")]
    printout = Page(client.get(link).content.decode())
    again = [found for found in printout.cases() if not found.startswith("?why=")]
    assert again
    assert all(follow(found) == CASE for found in again)


def test_numbers_are_written_without_a_language(models_dir, client):
    named = {"labels": {"1.5": "low", "2000": "high"}}
    bundles.install(models_dir, metadata={"features": {"hour": named}})
    page = client.get("/arkham/map", {"rows": "hour"}).content.decode()
    assert 'data-value="1.5"' in page
    assert 'data-value="2000"' in page


def test_every_word_of_the_server_s_own_is_kept_from_features():
    """Otherwise a page with this parameter would mistake a feature of that name for it."""
    read = {
        word
        for path in (ROOT / "batclient").rglob("*.py")
        for word in re.findall(r"""(?:GET|query)\.get\(["'](\w+)""", path.read_text())
    }
    no_case_there = {"part", "why"}  # the address of a file's preview, and of a case by its id
    assert read - no_case_there == {"columns", "flag", "rows", "vary"}
    assert all(parameter(word) != word for word in read - no_case_there)


def test_there_is_one_way_to_write_a_case_as_an_address():
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("predictor", "batclient")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"(?<!\.)urlencode\(", path.read_text())
    ]
    admin_s_own = ["dashboard_query.py", "listing.py", "refused_requests.py"]
    admin_s_own_filters = [f"predictor/admin/{name}" for name in admin_s_own]
    assert sorted(found) == [*admin_s_own_filters, "predictor/artifacts/addresses.py"]


def test_a_map_s_cells_lead_to_cases_of_any_kind(models_dir, client):
    lookup = {"member": False, "city": ["Gotham", "York"]}
    estimator = DummyClassifier().fit([[0, 0], [1, 1]], [0, 1])
    bundles.install(models_dir, lookup=lookup, metadata={}, estimator=estimator)
    page = client.get("/arkham/map", {"rows": "member", "columns": "city"}).content.decode()
    for value in ("true", "false", "Gotham", "York"):
        assert f'data-value="{value}"' in page
