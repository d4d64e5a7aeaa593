"""A model may use any name and any label: none is taken for the page's own, none for markup."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.models import MARKUP, TAKEN


def choose(page, label):
    for select in page.locator("[data-control] select").all():
        select.select_option(label)
    page.get_by_role("button", name="Compute").click()
    expect(page.locator(".paper:not(.paper-blank)")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("label", MARKUP)
def test_it_works(visit, label, scripts):
    page = visit("/names/", java_script_enabled=scripts)
    choose(page, label)
    expect(page.locator(".verdict-flag")).to_have_text("<i>one</i>")
    assert page.locator(".paper-case dd").all_inner_texts() == [label] * len(TAKEN)
    page.goto(page.locator("[data-link]").get_attribute("href"))
    link = page.get_by_role("link", name="Open it on the console").get_attribute("href")
    asked = parse_qs(urlsplit(link).query)
    assert list(asked.values()) == [[label]] * len(TAKEN)


def test_a_link_reproduces_the_case(visit):
    page = visit("/names/")
    choose(page, MARKUP[1])
    page.goto(page.locator("[data-link]").get_attribute("href"))
    expect(page.locator(".paper-case dd").last).to_have_text(MARKUP[1])


@pytest.mark.parametrize("name", ["Vary", "Csrfmiddlewaretoken", "Elements"])
def test_each_can_be_varied(visit, name):
    page = visit("/names/")
    choose(page, MARKUP[0])
    page.locator(".tabs").get_by_text(name).click()
    page.locator(".ranking").get_by_text(MARKUP[2]).click()
    shown = page.locator(".paper-case > div").filter(has_text=name)
    expect(shown).to_contain_text(MARKUP[2])
    expect(page.get_by_label(name, exact=True)).to_have_value(MARKUP[2])


def test_each_can_be_varied_without_scripts(visit):
    page = visit("/names/", java_script_enabled=False)
    choose(page, MARKUP[0])
    page.locator(".tabs").get_by_text("Vary").click()
    page.locator(".ranking").get_by_text(MARKUP[2]).click()
    expect(page.get_by_label("Vary", exact=True)).to_have_value(MARKUP[2])
    expect(page.get_by_label("Rows", exact=True)).to_have_value(MARKUP[0])


def test_each_can_be_an_axis_of_the_map(visit):
    page = visit("/names/map?rows=rows&columns=flag&_vary=a%26b%3Dc")
    expect(page.locator(".heat tbody td")).to_have_count(len(MARKUP) ** 2)
    expect(page.get_by_label("Vary", exact=True)).to_have_value("a&b=c")
    page.locator(".heat tbody tr:nth-child(2) td").nth(3).dblclick()
    page.get_by_role("button", name="Compute").click()
    expect(page.locator(".paper:not(.paper-blank)")).to_be_visible()
    case = dict(zip(TAKEN, page.locator(".paper-case dd").all_inner_texts(), strict=True))
    assert (case["rows"], case["flag"], case["vary"]) == (MARKUP[1], MARKUP[3], "a&b=c")
