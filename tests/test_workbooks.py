"""Workbooks in and out of the bulk feed, and what may be put into one."""

import csv
import datetime as dt
import io
import zipfile

import openpyxl
import pytest

from predictor.models import Prediction
from predictor.spreadsheets import workbook_parts, workbooks
from predictor.spreadsheets.dates import moment
from predictor.spreadsheets.workbook_parts import UnreadableWorkbook
from predictor.spreadsheets.workbooks import as_csv
from predictor.spreadsheets.xlsx import workbook

KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOMENT = dt.datetime(2026, 1, 31, 12, 30, 5)  # noqa: DTZ001 - a workbook's have no zone
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CASES = [["city", "villain", "hour", "note"], ["Gotham", "Joker", 3, "=1+1"],
         ["Metropolis", "Riddler", 12, 0.25]]  # fmt: skip


def saved(rows):
    """As openpyxl writes it; a text that begins like a formula stays a text."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell in (cell for row in book.active for cell in row if cell.data_type == "f"):
        cell.data_type = "s"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def rows_of(content):
    with as_csv(io.BytesIO(content)) as file:
        return list(csv.reader(io.StringIO(file.read().decode(), newline="")))


def changed(parts):
    """A workbook with these parts added, or in place of its own."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(CASES))) as old:
        kept = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name, text in (kept | parts).items():
            new.writestr(name, text)
    return made.getvalue()


def sheet(inside, before=""):
    text = f"{before}<worksheet {MAIN}><sheetData>{inside}</sheetData></worksheet>"
    return changed({"xl/worksheets/sheet1.xml": text})


def with_texts(table):
    """A workbook whose cells refer to a table of texts."""
    relation = f'<Relationship Id="s" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/>'
    sheet = f'<Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
    cells = '<row><c t="s"><v>1</v></c><c t="s"><v>0</v></c></row>'
    return changed({
        "xl/_rels/workbook.xml.rels": f"<Relationships>{relation}{sheet}</Relationships>",
        "xl/sharedStrings.xml": table,
        "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{cells}</sheetData></worksheet>",
    })  # fmt: skip


def row(*cells):
    return f"<row>{''.join(cells)}</row>"


def feed(client, content, path="/arkham/bulk"):
    return client.post(path, content, content_type=KIND)


@pytest.mark.django_db
def test_it_works(arkham, client):
    answer = feed(client, saved(CASES))
    assert (answer.status_code, answer["Content-Type"]) == (200, KIND)
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    header, *rows = book.active.iter_rows(values_only=True)
    assert header == ("city", "villain", "hour", "note", "escapes", "jailed")
    assert [row[:4] for row in rows] == [tuple(row) for row in CASES[1:]]
    logged = Prediction.objects.order_by("id").values_list("scores__escapes", flat=True)
    assert [row[4] for row in rows] == list(logged)
    assert book.active["D2"].data_type == "s", "no formula came of it"


def test_values_are_as_csv_has_them():
    content = saved([
        ["text", "whole", "float", "yes", "day", "moment", "none", "last"],
        [" a,b ", 12, 0.1, True, dt.date(2026, 1, 31),
         MOMENT, None, "Ünï 🦇"],
        ["0012", -3, 1e-7, False, dt.date(1999, 12, 31), None, None, "a_x000A_b_xD83D_"],
    ])  # fmt: skip
    assert rows_of(content)[1:] == [
        [" a,b ", "12", "0.1", "true", "2026-01-31", "2026-01-31T12:30:05", "", "Ünï 🦇"],
        ["0012", "-3", "1e-07", "false", "1999-12-31", "", "", "a\nb_xD83D_"],
    ]


def test_texts_that_cells_share_are_read():
    table = f"""<x:sst xmlns:x={MAIN.partition("=")[2]}><x:si><x:t>Joker</x:t></x:si>
        <x:si><x:r><x:t>Go</x:t></x:r><x:r><x:t>tham</x:t></x:r><x:rPh><x:t>?</x:t></x:rPh></x:si></x:sst>"""
    assert rows_of(with_texts(table)) == [["Gotham", "Joker"]]


def test_the_first_days_of_a_workbook_are_around_a_day_that_never_was():
    """Excel's 1900 has a 29 February, number 60: the day before it is read."""
    days = {1: "01-01", 59: "02-28", 60: "02-28", 61: "03-01"}
    assert {n: moment(n, since_1904=False) for n in days} == {
        n: f"1900-{d}" for n, d in days.items()
    }


def test_dates_of_the_other_beginning_are_the_same():
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append([dt.date(2026, 1, 31)])
    file = io.BytesIO()
    book.save(file)
    assert rows_of(file.getvalue()) == [["2026-01-31"]]


def test_our_own_exports_are_read():
    header, cells = ["a", "b"], ["=x", 0.5]
    assert rows_of(b"".join(workbook(header, [cells]))) == [["a", "b"], ["=x", "0.5"]]


def book(**sheets):
    """A workbook of these sheets; one whose name ends in an underscore is hidden."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name.rstrip("_"))
        sheet.sheet_state = "hidden" if name.endswith("_") else "visible"
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


PLAIN = [["city", "villain", "hour"], ["Gotham", "Joker", 3]]
COVER = [["Cases of March"], [], ["=1+1"]]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sheets",
    [
        {"Read": PLAIN, "Second": [["city"], ["York"]]},
        {"Empty": [], "Read": PLAIN},
        {"Empty": [], "Blank": [[]], "Read": PLAIN, "Third": PLAIN},
        {"Cover": COVER, "Read": PLAIN},
        {"Sums": [["=1+1", "=A1"]], "Read": PLAIN},
        {"Lists_": [["city"], ["Gotham"]], "Read": PLAIN, "End": []},
        {"Read": PLAIN, "Sums": [["=1+1"]]},
    ],
    ids=", ".join,
)
def test_of_several_sheets_the_one_with_the_columns_is_read(arkham, client, sheets):
    found = feed(client, book(**sheets), "/arkham/bulk/preview").json()
    assert found["errors"] == []
    assert "The first rows of the sheet “Read”" in found["html"]
    assert b"".join(feed(client, book(**sheets)).streaming_content)[:2] == b"PK"


def test_of_one_sheet_it_is_not_said_which(arkham, client):
    for sheets in ({"Only": PLAIN}, {"Lists_": [["city"]], "Only": PLAIN}):
        found = feed(client, book(**sheets), "/arkham/bulk/preview").json()
        assert '<caption dir="auto">The first rows</caption>' in found["html"]


@pytest.mark.django_db
def test_a_workbook_that_holds_nothing_is_refused(arkham, client):
    for path in ("/arkham/bulk/preview", "/arkham/bulk"):
        answer = feed(client, book(First=[], Second=[]), path)
        assert (answer.status_code, answer.json()["detail"]) == (
            400, "all sheets of the workbook are empty"
        )  # fmt: skip


def test_a_row_keeps_the_number_a_spreadsheet_shows(arkham, client):
    wrong = [CASES[0], [], [], ["Gotham", "Jokr", 3, ""]]
    errors = feed(client, saved(wrong)).json()["errors"]
    assert [one["field"] for one in errors] == ["row 4: villain"]


@pytest.mark.django_db
def test_the_first_rows_are_shown_before_anything_is_answered(arkham, client):
    rows = [CASES[0], *([["Gotham", "Joker", 3, "<b>"]] * 3), ["Gotham", "Jokr", 99, ""]]
    found = feed(client, saved(rows * 1 + [["x"]] * 90), "/arkham/bulk/preview").json()
    assert [e["field"] for e in found["errors"]] == ["row 5: villain", "row 5: hour", "row 6: city",
                                                     "row 6: villain", "row 6: hour"]  # fmt: skip
    assert "&lt;b&gt;" in found["html"]
    assert found["html"].count("<tr") == 6
    assert found["html"].count("passed through") == 1
    assert not Prediction.objects.exists()


@pytest.mark.django_db
def test_the_beginning_of_a_long_csv_is_enough(arkham, client):
    path = "/arkham/bulk/preview?part=true"
    cut = 'city,villain,hour\r\nGotham,Joker,3\r\nGotham,"Jok'
    found = client.post(path, cut, content_type="text/csv").json()
    assert "Gotham" in found["html"]
    refused = client.post(path, "town,hour\r\n1,2\r\n", content_type="text/csv")
    assert refused.status_code == 400
    assert [e["field"] for e in refused.json()["errors"]] == ["city", "villain"]


DOCTYPE = (
    '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;"><!ENTITY e SYSTEM "file:///etc/passwd">]>'
)
HOSTILE = {
    "a formula": (sheet(row('<c r="A1"><f>NOW()</f><v>1</v></c>')), "cell A1 holds a formula"),
    "a formula of a later cell": (
        sheet(row("<c><v>1</v></c>", '<c t="str"><f>A1</f></c>')), "cell B1 holds a formula",
    ),
    "entities": (sheet(row('<c t="inlineStr"><is><t>&b;</t></is></c>'), DOCTYPE), "entities"),
    "entities of the texts": (with_texts(f"{DOCTYPE}<sst><si><t>&e;</t></si></sst>"), "entities"),
    "a link to another file": (
        changed({"xl/externalLinks/externalLink1.xml": "<a/>"}), "links to other files",
    ),
    "a program": (changed({"xl/vbaProject.bin": "x"}), "or holds a program"),
    "a query": (changed({"xl/connections.xml": "<a/>"}), "connections.xml"),
    "an error": (sheet(row('<c t="e"><v>#REF!</v></c>')), "cell A1 holds the error #REF!"),
    "no number": (sheet(row("<c><v>1; DROP</v></c>")), "cell A1 is not a number"),
    "a text that is not there": (sheet(row('<c t="s"><v>99</v></c>')), "text that does not exist"),
    "rows backwards": (sheet('<row r="5"/><row r="4"/>'), "out of order"),
    "a row too far": (sheet('<row r="1048577"/>'), "out of order"),
    "cells backwards": (sheet(row('<c r="B1"/>', '<c r="A1"/>')), "out of order"),
    "a column too far": (sheet(row('<c r="XFE1"/>')), "out of order"),
    "no XML": (sheet("<row>"), "is not XML"),
    "no workbook": (changed({"_rels/.rels": "<a/>", "xl/workbook.xml": "<a/>"}), "no sheet"),
    "no ZIP": (b"PK\x03\x04 and nothing more", "damaged or locked"),
    "another ZIP": (b"", "not an XLSX workbook"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_table_of_values_is_refused(what):
    content, words = HOSTILE[what]
    if not content:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("content.xml", "<office/>")
        content = made.getvalue()
    with pytest.raises(UnreadableWorkbook, match=words):
        as_csv(io.BytesIO(content))


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    bomb = sheet(row("<c/>" * 20) * 100_000)
    assert len(bomb) < 60_000
    monkeypatch.setattr(workbook_parts, "_MOST_UNPACKED", 2**20)
    read = []
    monkeypatch.setattr(workbook_parts.time, "sleep", read.append)
    with pytest.raises(UnreadableWorkbook, match="unpacks to more than 1 MB"):
        as_csv(io.BytesIO(bomb))
    assert len(read) < 30, "pieces of 64 kB"


def test_few_bytes_do_not_become_many_cells(monkeypatch):
    monkeypatch.setattr(workbooks, "_MOST_CELLS", 50_000)
    wide = sheet(row('<c r="XFD1" t="str"><v>x</v></c>') * 10)
    with pytest.raises(UnreadableWorkbook, match="more than 50,000 cells"):
        as_csv(io.BytesIO(wide))


def test_a_long_text_is_refused():
    long = sheet(row(f'<c t="inlineStr"><is><t>{"x" * 40_000}</t></is></c>'))
    with pytest.raises(UnreadableWorkbook, match="more than 32,767 characters"):
        as_csv(io.BytesIO(long))


@pytest.mark.django_db
def test_the_api_takes_csv_only(arkham, client):
    answer = client.post("/api/predict", saved(CASES), content_type="text/csv")
    assert answer.status_code == 400
    assert "is a workbook" in answer.json()["detail"]
