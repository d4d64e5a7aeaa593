"""The wall map: read with the eyes, the pointer, the keyboard, a spreadsheet."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect


def cell(page, row, column):
    return page.locator(f".heat tbody tr:nth-child({row}) td:nth-of-type({column})")


def test_it_is_a_table_without_scripts(visit):
    page = visit("/arkham/map", java_script_enabled=False)
    expect(page.locator(".heat tbody td")).to_have_count(12)
    expect(page.get_by_role("columnheader", name="Joker")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Gotham")).to_be_visible()


def test_a_cell_says_its_value_when_pointed_at(visit):
    page = visit("/arkham/map")
    cell(page, 1, 2).hover()
    expect(page.locator("[data-readout]")).to_contain_text("Gotham · Penguin")
    expect(page.locator("[data-readout] b")).to_have_text(cell(page, 1, 2).get_attribute("title"))


def test_the_arrow_keys_walk_it_and_enter_opens_the_case(visit):
    page = visit("/arkham/map?hour=5")
    cell(page, 1, 1).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(cell(page, 2, 2)).to_be_focused()
    expect(page.locator("[data-readout]")).to_contain_text("Metropolis · Penguin")
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    expect(cell(page, 2, 4)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Villain")).to_have_value("Catwoman")
    page.get_by_role("button", name="Compute").click()
    expect(page.locator("[data-printout]")).to_contain_text("Metropolis")
    expect(page.get_by_label("Hour of day")).to_have_value("5")


@pytest.mark.parametrize("kind", ["CSV", "PNG"])
def test_it_can_be_taken_along(visit, kind):
    page = visit("/arkham/map")
    key = page.locator(".map-foot").get_by_text(kind)
    with page.expect_download() as download:
        key.click()
    assert download.value.suggested_filename == f"arkham-map.{kind.lower()}"
    taken = Path(download.value.path()).read_bytes()
    assert taken.startswith(b"\x89PNG" if kind == "PNG" else b"City / Villain")


def test_the_picture_of_a_long_map_is_made_smaller(visit):
    page = visit("/labels/")

    def longer(route):
        answer = route.fetch()
        head, rows, foot = re.split("<tbody>|</tbody>", answer.text())
        route.fulfill(response=answer, body=f"{head}<tbody>{rows * 6}</tbody>{foot}")

    page.route("**/labels/map", longer)
    page.goto(page.url + "map")
    assert page.locator(".heat tbody tr").count() == 1800  # in full, more than a browser draws
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    with Image.open(download.value.path()) as picture:
        assert picture.height == 16_000


def test_it_says_what_cannot_be_drawn(visit, watch):
    watch.allowed.append("400")
    page = visit("/arkham/map?rows=city&columns=city")
    expect(page.get_by_role("alert")).to_contain_text("two features")
    page.get_by_label("Across").select_option("villain")
    page.get_by_role("button", name="Draw").click()
    expect(page.locator(".heat tbody td")).to_have_count(12)
