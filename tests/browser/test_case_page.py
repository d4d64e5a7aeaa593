"""The page of a case: to be looked at, printed and shared, with and without scripts."""

import pytest
from playwright.sync_api import expect

from tests.browser.cases import WIDTHS, column, compute
from tests.browser.test_accessibility import violations


def case_of(page):
    compute(page)
    return page.locator("[data-link]").get_attribute("href")


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no-script"])
def test_it_works(visit, site, scripts):
    address = case_of(visit("/"))
    asked = len(column(site, "SELECT id FROM predictor_prediction"))
    page = visit("/one/", java_script_enabled=scripts, reduced_motion="reduce")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(address)
        expect(page.locator(".verdict-odds")).to_contain_text(" in 10")
        expect(page.locator(".ladder").first).to_contain_text("The average answer")
        assert page.locator(".verdict").bounding_box()["y"] < 800
        if scripts:
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert violations(page) == [], width
    assert len(column(site, "SELECT id FROM predictor_prediction")) == asked


def test_it_prints_as_a_clean_sheet(visit):
    page = visit("/")
    page.goto(case_of(page))
    page.emulate_media(media="print")
    expect(page.locator(".paper-headline")).to_be_visible()
    for hidden in (".recipes", ".scope", ".why", ".hood", ".paper-actions"):
        expect(page.locator(hidden).first).to_be_hidden()


def test_an_unknown_case_leads_back(visit, watch):
    watch.allowed.append("404")
    page = visit("/arkham/case/00000000-0000-0000-0000-000000000000")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Not on file")
    page.get_by_role("link", name="Back to the console").click()
    expect(page.get_by_role("button", name="Compute")).to_be_visible()


def test_it_is_readable_without_a_connection(visit, watch):
    watch.allowed.append("ERR_INTERNET_DISCONNECTED")
    page = visit("/")
    address = case_of(page)
    page.goto(address)
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("async (page) => !!(await caches.match(page))", arg=address)
    page.context.set_offline(True)
    page.goto(address)
    expect(page.locator(".verdict-odds")).to_contain_text(" in 10")
    expect(page.locator(".paper-headline")).to_be_visible()
    width = page.locator(".desk-case").evaluate("desk => getComputedStyle(desk).display")
    assert width == "grid", "it has its style"
    page.context.set_offline(False)
