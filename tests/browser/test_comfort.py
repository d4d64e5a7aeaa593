"""The console is easy to use: a first case, a surprise, forced colours, many models."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.models import NAMES


def press(page):
    page.get_by_role("button", name="Compute").click()


def test_the_first_press_is_answered_on_every_model(visit, site):
    page = visit("/")
    for name in NAMES:
        page.goto(f"{site.url}/{name}/")
        press(page)
        expect(page.locator(".paper:not(.paper-blank)")).to_be_visible()


def test_a_surprise_is_set_and_computed(visit):
    page = visit("/")
    page.get_by_role("link", name="Surprise me").click()
    expect(page.locator(".paper:not(.paper-blank)")).to_be_visible()
    shown = page.locator(".paper-case").inner_text()
    assert page.get_by_label("Villain").input_value() in shown


def test_what_was_typed_is_refused_in_the_server_s_words(visit, watch):
    watch.allowed.append("400")
    page = visit("/numbers/")
    page.get_by_label("Height").fill("1,5")
    page.get_by_label("Age").fill("abc")
    press(page)
    expect(page.locator("#case-0-error")).to_contain_text('not the text "1,5"')
    expect(page.locator("#case-1-error")).to_contain_text('not the text "abc"')
    expect(page.get_by_label("Height")).to_have_value("1,5")


@pytest.mark.parametrize(
    ("width", "height"), [(1280, 800), (640, 400), (360, 640)], ids=["desk", "200 %", "phone"]
)
def test_the_headline_of_many_selectors_is_in_view(visit, width, height):
    page = visit("/many/", width=width, height=height, reduced_motion="reduce")
    page.get_by_role("button", name="Compute").scroll_into_view_if_needed()
    press(page)
    expect(page.locator(".verdict")).to_be_in_viewport()


def test_forced_colours_show_what_is_on(visit):
    page = visit("/", forced_colors="active")
    page.get_by_role("button", name="Compute").click()
    expect(page.locator(".tabs [aria-pressed=true]")).to_be_visible()

    def ground(selector, pseudo=None):
        return page.locator(selector).first.evaluate(
            f"e => getComputedStyle(e, {pseudo or 'null'}).backgroundColor"
            " + getComputedStyle(e).backgroundImage"
        )

    assert ground(".tabs [aria-pressed=true]") != ground(".tabs [aria-pressed=false]")
    assert ground(".switch[aria-pressed=true]") != ground(".switch[aria-pressed=false]")
    summary = page.locator(".models summary")
    summary.click()
    assert ground(".models a[aria-current]") != ground(".models a:not([aria-current])")


def test_many_models_are_found_by_typing(visit):
    page = visit("/", width=360, height=740)
    menu = page.locator(".models summary")
    assert page.locator(".hood").bounding_box()["height"] < 200
    menu.press("Enter")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("numb")
    expect(page.locator(".models li:visible")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    menu.press("Enter")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/numbers/$"))


def test_the_models_menu_works_without_scripts(visit):
    page = visit("/", java_script_enabled=False)
    page.locator(".models summary").click()
    page.locator(".models").get_by_role("link", name="Numbers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Numbers")


def test_names_are_whole_at_360(visit):
    page = visit("/labels/", width=360)
    press(page)
    page.get_by_role("combobox", name="District").fill("Llanfair")
    page.keyboard.press("Enter")
    press(page)
    expect(page.locator(".echo li").first).to_contain_text("Llanfair")
    assert page.locator(".echo b").first.bounding_box()["height"] > 50  # not cut
    expect(page.locator(".ranking li")).to_have_count(300)
    assert page.evaluate(
        "[...document.querySelectorAll('.rank-title')].every(e => e.scrollWidth <= e.clientWidth)"
    )


def test_an_estimate_is_explained_when_asked(visit):
    page = visit("/numbers/")
    press(page)
    page.get_by_role("link", name="Explain this answer").click()
    expect(page.locator(".ladder").first).to_contain_text("The average answer")
    expect(page.locator(".why-note").first).to_contain_text("not cause")


def test_an_estimate_is_explained_to_who_comes_to_look(visit):
    page = visit("/numbers/")
    press(page)
    blank = page.locator(".why .ladder-blank li")
    expect(blank).to_have_count(3)  # the panel is not empty before
    page.route("**/why?**", lambda route: None)
    page.locator(".why").scroll_into_view_if_needed()
    expect(page.locator(".why")).to_have_attribute("aria-busy", "true")
    expect(page.locator(".why")).to_contain_text("Asking the model a few thousand questions")
    expect(page.get_by_role("link", name="Explain this answer")).to_be_hidden()
    page.unroute("**/why?**")
    press(page)
    page.locator(".why").scroll_into_view_if_needed()  # the answer came into view
    expect(page.locator(".why-note").first).to_contain_text("not cause")
    assert page.evaluate("document.activeElement.closest('.why')") is None


def test_a_language_is_chosen_and_remembered(visit):
    page = visit("/", locale="de-DE")
    expect(page.get_by_role("button", name="Berechnen")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Compute")).to_be_visible()
    page.goto(page.url)
    expect(page.get_by_role("button", name="Compute")).to_be_visible()


def test_from_right_to_left_everything_has_its_place(visit, site):
    """A language that is written so: the page's own direction, and longer words."""
    page = visit("/", width=360)
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for path in ("/", "/labels/", "/many/", "/arkham/map", "/arkham/card"):
            page.goto(site.url + path)
            page.evaluate("document.documentElement.dir = 'rtl'")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(site.url)
    page.evaluate("document.documentElement.dir = 'rtl'")
    scope, selectors = (page.locator(part).bounding_box() for part in (".scope", ".selectors"))
    assert scope["x"] < selectors["x"]
