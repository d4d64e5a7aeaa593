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


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize(
    "path",
    ["/one/", "/many/", "/numbers/", "/labels/", "/arkham/map", "/arkham/card", "/nobody/"],
)
def test_the_other_pages(still, watch, path, width):
    watch.allowed.append("404")
    page = still(path, width=width)
    assert violations(page) == []


def test_an_open_list(still):
    page = still("/labels/")
    page.get_by_role("combobox", name="District").fill("29")
    expect(page.locator("[role=listbox]")).to_be_visible()
    assert violations(page) == []


def test_two_cases_side_by_side(still):
    page = still(LINK)
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
