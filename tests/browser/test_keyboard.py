"""The console without a mouse, its filterable selectors above all."""

from playwright.sync_api import expect

from tests.browser.models import HEBREW, LONG


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id")


def options(page):
    return page.locator(".options li:visible")


def test_a_case_is_computed_with_the_keyboard_alone(visit):
    page = visit("/")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the console"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("City")).to_be_focused()
    page.keyboard.type("Got")
    page.keyboard.press("Tab")
    page.keyboard.type("Jok")
    page.keyboard.press("Tab")
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Compute")).to_be_focused()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("[data-printout]")).to_contain_text("Gotham")


def test_every_stop_of_the_tab_key_can_be_seen(visit):
    page = visit("/labels/")
    for _ in range(25):
        page.keyboard.press("Tab")
        unseen = page.evaluate(
            """() => {
                const here = document.activeElement;
                const shown = here.closest(".drop") ?? here; // a file input shows as its drop zone
                const outline = getComputedStyle(shown).outlineStyle;
                const seen = here === document.body || (shown.offsetWidth && outline !== "none");
                return seen ? "" : here.outerHTML.slice(0, 200);
            }"""
        )
        assert unseen == ""


def test_300_labels_are_filtered_and_chosen(visit):
    page = visit("/labels/")
    box = page.get_by_role("combobox", name="District")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.press("ArrowDown")
    expect(options(page)).to_have_count(300)
    box.fill("district 29")
    expect(options(page)).to_have_count(11)  # 029, 129, 229 and 290 to 297
    expect(box).to_have_attribute("aria-activedescendant", "case-0-option-29")
    box.press("ArrowDown")
    box.press("ArrowDown")
    expect(page.locator("#case-0-option-229")).to_have_class("option-active")
    box.press("Enter")
    expect(box).to_have_value("District 229")
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(page.locator("select[name=district]")).to_have_value("District 229")


def test_escape_and_leaving_keep_the_choice(visit):
    page = visit("/labels/")
    box = page.get_by_role("combobox", name="District")
    box.fill("042")
    box.press("Enter")
    box.fill("no such place")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.press("Escape")
    expect(box).to_have_value("District 042")
    box.fill("nor this")
    box.press("Tab")
    expect(box).to_have_value("District 042")


def test_a_label_that_was_typed_is_meant(visit):
    page = visit("/labels/")
    box = page.get_by_role("combobox", name="District")
    box.fill("district 042")
    box.press("Tab")
    expect(box).to_have_value("District 042")
    expect(page.locator("select[name=district]")).to_have_value("District 042")
    box.fill("llanf")  # the only one left
    box.press("Tab")
    expect(box).to_have_value(LONG.strip())
    box.fill("district 1")  # a hundred are left: none is meant
    box.press("Tab")
    expect(box).to_have_value(LONG.strip())


def test_a_label_is_chosen_with_the_pointer(visit):
    page = visit("/labels/")
    box = page.get_by_role("combobox", name="District")
    box.click()
    box.fill("LLANFAIR")
    options(page).filter(has_text=LONG.strip()).click()
    expect(page.locator("select[name=district]")).to_have_value(LONG.strip())


def test_right_to_left_text_runs_its_own_way(visit):
    page = visit("/labels/")
    box = page.get_by_role("combobox", name="District")
    box.fill(HEBREW)
    expect(options(page).filter(has_text=HEBREW)).to_have_attribute("dir", "auto")
    assert box.evaluate("box => getComputedStyle(box).direction") == "rtl"
    box.press("Enter")
    expect(page.locator("select[name=district]")).to_have_value(HEBREW)


def test_a_short_list_stays_a_select(visit):
    page = visit("/labels/")
    expect(page.locator("select[name=weather]")).to_be_visible()
    expect(page.get_by_role("combobox", name="Weather")).to_have_js_property("tagName", "SELECT")
