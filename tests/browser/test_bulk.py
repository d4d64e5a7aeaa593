"""The bulk feed: a CSV in, the same CSV with the verdicts out."""

import csv
import io
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import expect

from predictor.spreadsheets.xlsx import workbook

CASES = "city,villain,hour,note\r\nGotham,Joker,3,first\r\nMetropolis,Riddler,12,second\r\n"


def file(text, name="cases.csv"):
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


def test_it_works(visit):
    page = visit("/")
    with page.expect_download() as download:
        page.locator("#bulk-file").set_input_files(file(CASES))
    assert download.value.suggested_filename == "cases-answered.csv"
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    assert [row["note"] for row in rows] == ["first", "second"]
    assert all(0 < float(row["escapes"]) < 1 for row in rows)
    expect(page.locator("[data-bulk-note]")).to_contain_text("2 rows answered")


def test_a_file_can_be_dropped_anywhere(visit):
    page = visit("/")
    dropped = page.evaluate_handle(
        """text => {
            const dropped = new DataTransfer();
            dropped.items.add(new File([text], "dropped.csv", { type: "text/csv" }));
            return dropped;
        }""",
        CASES,
    )
    page.dispatch_event("h1", "dragover", {"dataTransfer": dropped})
    expect(page.locator("[data-bulk]")).to_have_class("panel bulk bulk-over")
    with page.expect_download() as download:
        page.dispatch_event("h1", "drop", {"dataTransfer": dropped})
    assert download.value.suggested_filename == "dropped-answered.csv"


def test_wrong_rows_are_listed(visit, watch):
    watch.allowed.append("400")
    page = visit("/")
    wrong = CASES.replace("Joker", "Jokr").replace(",12,", ",99,")
    page.locator("#bulk-file").set_input_files(file(wrong))
    errors = page.locator("[data-bulk-errors] li")
    expect(errors).to_have_count(2)
    expect(errors.nth(0)).to_contain_text("row 2: villain")
    expect(errors.nth(0)).to_contain_text('did you mean "Joker"?')
    expect(errors.nth(1)).to_contain_text("row 3: hour")


def test_the_first_rows_are_shown(visit):
    page = visit("/")
    page.locator("#bulk-file").set_input_files(file(CASES.replace("Joker", "Jokr")))
    rows = page.locator(".bulk-preview tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_have_class("wrong")
    expect(page.locator(".bulk-preview .passed")).to_have_text("note passed through")


def test_a_workbook_comes_back_as_one(visit):
    page = visit("/")
    book = b"".join(workbook(["city", "villain", "hour"], [["Gotham", "Joker", 3]]))
    sent = {"name": "cases.xlsx", "mimeType": "", "buffer": book}
    with page.expect_download() as download:
        page.locator("#bulk-file").set_input_files(sent)
    assert download.value.suggested_filename == "cases-answered.xlsx"
    header, row = openpyxl.load_workbook(
        io.BytesIO(Path(download.value.path()).read_bytes())
    ).active.iter_rows(values_only=True)
    assert header[3:] == ("escapes", "jailed")
    assert sum(row[3:]) == pytest.approx(1)


def test_it_says_what_it_cannot_read(visit, watch):
    watch.allowed.append("ERR_FAILED")
    page = visit("/")
    picture = {"name": "bat.png", "mimeType": "image/png", "buffer": b"PNG"}
    page.locator("#bulk-file").set_input_files(picture)
    expect(page.locator("[data-bulk-note]")).to_have_text("bat.png is not a CSV file.")
    page.route("**/bulk", lambda route: route.abort())
    page.locator("#bulk-file").set_input_files(file(CASES))
    expect(page.locator("[data-bulk-note]")).to_contain_text("cannot be reached")


def test_the_template_names_the_columns(visit):
    page = visit("/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the template").click()
    header = Path(download.value.path()).read_text("utf-8").splitlines()[0]
    assert header == "city,villain,hour"
