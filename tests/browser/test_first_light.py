"""The page does its job at every width, with and without JavaScript, and asks no other site."""

from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.browser.cases import WIDTHS, case_number, column, compute, set_case

SHAPES = [
    "/", "/one/", "/many/", "/numbers/", "/labels/", "/names/", "/kinds/",
    "/arkham/map", "/nobody/", "/broken/",
]  # fmt: skip


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_works(site, visit, width, scripts):
    page = visit("/", width=width, java_script_enabled=scripts)
    compute(page)
    printout = page.locator("[data-printout]")
    expect(printout).to_contain_text("Gotham")
    expect(printout).to_contain_text("arkham 1.0.0")
    expect(page.locator(".verdict-odds")).to_contain_text(" in 10")
    assert page.locator(".bats .lit").count() in range(1, 10)
    query = "SELECT source FROM predictor_prediction WHERE id = ?"
    assert column(site, query, UUID(case_number(page)).hex) == ["page"]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_its_window(site, visit, watch, width):
    watch.allowed += ["404", "503"]
    page = visit("/", width=width)
    for path in SHAPES:
        page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_it_says_what_is_wrong_without_scripts(visit, watch):
    watch.allowed.append("400")
    page = visit("/", java_script_enabled=False)
    set_case(page, hour="99")
    page.locator("form[data-form]").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Compute").click()
    expect(page.locator("#case-2-error")).to_contain_text("from 0 to 23")
    expect(page.get_by_label("City")).to_have_value("Gotham")


def test_a_model_that_cannot_answer_is_said_in_the_page(visit, watch):
    watch.allowed.append("503")
    page = visit("/broken/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Out of service")
    page.get_by_role("link", name="Back to the console").click()
    expect(page.get_by_role("button", name="Compute")).to_be_visible()


def test_an_unknown_model_is_said_in_the_page(visit, watch):
    watch.allowed.append("404")
    page = visit("/arkhan/")
    expect(page.get_by_role("main")).to_contain_text("did you mean")


def test_at_twice_the_size_everything_is_still_there(visit):
    page = visit("/", width=640, height=400, device_scale_factor=2)  # 1280 by 800 zoomed to 200 %
    compute(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    for part in (".verdict-odds", "[data-printout]", ".what-if", ".bulk"):
        page.locator(part).scroll_into_view_if_needed()
        expect(page.locator(part)).to_be_in_viewport()
