"""Reads XLSX: one sheet of a workbook becomes CSV, piece by piece, whichever program wrote it.

A workbook is a ZIP of XML, so the reader limits the unpacked size as it goes, and reads nothing
that an XML file can define, fetch or run: no document type, formula or part that links elsewhere.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, NamedTuple

from predictor.spreadsheets.dates import date_styles
from predictor.spreadsheets.workbook_parts import Archive, Elements, UnreadableWorkbook, target
from predictor.spreadsheets.workbook_sheets import FilledCells, SharedTexts, Sheet

_BEGINNING = b"PK\x03\x04"
_MOST_CELLS = 5_000_000  # including blank ones within a row
_IN_MEMORY = 2**20  # bytes


def is_workbook(file: BinaryIO) -> bool:
    """Whether the file begins as an XLSX file does."""
    file.seek(0)
    return file.read(len(_BEGINNING)) == _BEGINNING


def as_csv(file: BinaryIO, columns: Collection[str] = ()) -> BinaryIO:
    """A sheet as a CSV file, which the caller closes; rows keep their numbers.

    It is the first sheet whose first row names one of ``columns``, else the first that is not
    empty. Numbers, booleans, texts and dates (ISO 8601) are written as in CSV. Raises
    UnreadableWorkbook.
    """
    made = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the caller closes it
    text = io.TextIOWrapper(made, "utf-8", newline="", write_through=True)
    try:
        with _opened(file) as book:
            sheet = book.sheet_with(columns)
            csv.writer(text, lineterminator="\r\n").writerows(_padded(book.rows(sheet)))
    except UnreadableWorkbook:
        made.close()
        raise
    text.detach()
    made.seek(0)
    return made  # type: ignore[return-value] # it has all methods of a file


def sheet_read(file: BinaryIO, columns: Collection[str]) -> str:
    """The name of the sheet that ``as_csv`` reads; empty if it is the only one.

    Raises UnreadableWorkbook.
    """
    with _opened(file) as book:
        return book.sheet_with(columns).name if len(book.sheets) > 1 else ""


def _padded(rows: Iterator["FilledCells"]) -> Iterator[list[str]]:
    """Pad each row to the header's length; blank rows stay, to keep the row numbers."""
    width = count = 0
    for cells in rows:
        last = cells[-1][0] if cells else 0
        width = width or last
        count += max(width, last)
        if count > _MOST_CELLS:
            raise UnreadableWorkbook(
                f"the workbook has more than {_MOST_CELLS:,} cells; send it in parts"
            )
        row = [""] * max(width, last) if cells else []
        for column, value in cells:
            row[column - 1] = value
        yield row


class _Listed(NamedTuple):
    """A sheet in the workbook's list."""

    name: str
    part: str


def _seen(sheets: list[dict[str, str]]) -> list[dict[str, str]]:
    """The visible sheets; all if none is visible. Raises UnreadableWorkbook."""
    if not sheets:
        raise UnreadableWorkbook("the workbook has no sheet")
    return [has for has in sheets if has.get("state", "visible") == "visible"] or sheets


class _Workbook:
    """A workbook's visible sheets, or all if none is visible."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        book = target(archive, "", "officeDocument") or "xl/workbook.xml"
        if book not in archive.names:
            raise UnreadableWorkbook("the file is not an XLSX workbook; save it as CSV or XLSX")
        listed = Elements("sheet", "workbookPr")
        archive.read(book, listed)
        self.sheets = [
            _Listed(has.get("name", ""), target(archive, book, "worksheet", has.get("id", "")))
            for has in _seen([has for name, has in listed.found if name == "sheet"])
        ]
        self._since_1904 = any(has.get("date1904") in ("1", "true") for _, has in listed.found)
        self._texts = SharedTexts()
        archive.read(target(archive, book, "sharedStrings"), self._texts)
        styles = Elements("numFmt", "cellXfs", "cellStyleXfs", "xf")
        archive.read(target(archive, book, "styles"), styles)
        self._dated = date_styles(styles.found)

    def sheet_with(self, columns: Collection[str]) -> _Listed:
        """The sheet to read. Raises UnreadableWorkbook if all are empty."""
        if len(self.sheets) == 1:
            return self.sheets[0]
        filled = []
        for sheet in self.sheets:
            begins = self._begins(sheet)
            if begins and any(name in columns for name in begins):
                return sheet
            if begins != []:
                filled.append(sheet)
        if not filled:
            raise UnreadableWorkbook("all sheets of the workbook are empty")
        return filled[0]

    def rows(self, listed: _Listed) -> Iterator[FilledCells]:
        """Yield the cells of each row."""
        if listed.part not in self._archive.names:
            raise UnreadableWorkbook("a sheet that the workbook lists is missing")
        sheet = Sheet(self._texts.found, self._dated, self._since_1904)
        for _ in self._archive.parse(listed.part, sheet):
            yield from sheet.rows
            sheet.rows = []

    def _begins(self, sheet: _Listed) -> list[str] | None:
        """The texts of the first row that is not blank; None if the sheet cannot be read."""
        try:
            first = next(filter(None, self.rows(sheet)), [])
        except UnreadableWorkbook:  # a chart, or formulas: another sheet may be readable
            return None
        return [text for _, text in first]


@contextmanager
def _opened(file: BinaryIO) -> Iterator[_Workbook]:
    """Turn every error of a damaged file into UnreadableWorkbook."""
    try:
        yield _Workbook(Archive(file))
    except UnreadableWorkbook:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        # a ValueError comes from an offset outside the file
        raise UnreadableWorkbook("the workbook is damaged or locked; save it as CSV") from error
