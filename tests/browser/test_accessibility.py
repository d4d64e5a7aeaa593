"""axe-core finds no violation of WCAG 2.2 AA, on any page, in any state, at any width."""

from functools import partial

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.cases import LINK, WIDTHS, compute, set_case

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def still(visit):
    """Pages without motion: axe measures colours, and what moves has them only in the end."""
    return partial(visit, reduced_motion="reduce")


def violations(page):
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    return [
        (violation["id"], [node["html"][:120] for node in violation["nodes"]])
        for violation in found.response["violations"]
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_console_in_its_states(still, watch, width):
    watch.allowed.append("400")
    page = still("/", width=width)
    assert violations(page) == [], "ready"
    set_case(page, hour="99")
    page.get_by_role("button", name="Compute").click()
    expect(page.locator("#case-2-error")).not_to_be_empty()
    assert violations(page) == [], "refused"
    compute(page)
    expect(page.locator(".ranking li")).to_have_count(3)
    assert violations(page) == [], "answered"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "path",
    [
        "/one/", "/many/", "/numbers/", "/labels/", "/names/", "/kinds/",
        "/arkham/map", "/arkham/card", "/nobody/", "/broken/",
    ],
)  # fmt: skip
def test_the_other_pages(still, watch, path, width):
    watch.allowed += ["404", "503"]
    page = still(path, width=width)
    assert violations(page) == []


def test_while_it_computes_and_once_the_outcome_is_reported(still):
    page = still("/")
    waiting = []

    def hold(route):
        waiting.append(route)

    page.route("**/arkham/", hold)
    set_case(page)
    page.get_by_role("button", name="Compute").click()
    expect(page.locator("[data-screen]")).to_contain_text("Computing")
    assert violations(page) == [], "computing"
    answer = waiting[0].fetch()
    waiting[0].fulfill(response=answer, json=answer.json() | {"version": "2.0.0"})
    page.locator("[data-outcome]").get_by_role("button", name="Gets away").click()
    expect(page.locator("[data-note]")).to_contain_text("On record")
    expect(page.locator("[data-new-version]")).to_be_visible()
    assert violations(page) == [], "reported"


def test_a_map_and_a_link_that_are_wrong(still, watch):
    watch.allowed.append("400")
    page = still("/arkham/map?hour=99")
    assert violations(page) == [], "map"
    page.goto(page.url.replace("map?hour=99", "?city=Gothem"))
    assert violations(page) == [], "link"


def test_an_open_list(still):
    page = still("/labels/")
    page.get_by_role("combobox", name="District").fill("29")
    expect(page.locator("[role=listbox]")).to_be_visible()
    assert violations(page) == []


def test_two_cases_side_by_side(still):
    page = still(LINK)
    compute(page)
    expect(page.locator(".file")).to_have_count(1)
    compute(page, "20")
    expect(page.locator(".file")).to_have_count(2)
    for tick in page.locator(".file-list input").all():
        tick.check()
    page.get_by_role("button", name="Compare ticked").click()
    assert violations(page) == []


def test_no_signal_and_wrong_rows(still, watch):
    watch.allowed += ["ERR_FAILED", "400"]
    page = still("/")
    wrong = {"name": "w.csv", "mimeType": "text/csv", "buffer": b"city,villain,hour\r\nX,Y,99\r\n"}
    page.locator("#bulk-file").set_input_files(wrong)
    expect(page.locator("[data-bulk-errors] li")).to_have_count(3)
    page.route("**/arkham/", lambda route: route.abort())
    page.get_by_role("button", name="Compute").click()
    expect(page.locator("[data-screen]")).to_contain_text("No signal")
    assert violations(page) == []


def test_a_printout_without_scripts(still, watch):
    watch.allowed += ["ERR_FAILED", "404"]
    page = still("/nobody/")
    page.route("**/*.js", lambda route: route.abort())  # axe itself needs a browser with scripts
    page.goto(page.url.replace("/nobody/", LINK))
    page.get_by_role("button", name="Compute").click()
    page.locator(".tabs").get_by_text("City").click()
    expect(page.locator(".ranking li")).to_have_count(3)
    assert violations(page) == []
