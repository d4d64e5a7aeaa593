"""Reads XLSX: one sheet of a workbook becomes CSV, piece by piece, whichever program wrote it.

A workbook is a ZIP of XML, so the reader limits the unpacked size as it goes, and reads nothing
that an XML file can define, fetch or run: no document type, formula or part that links elsewhere.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, NamedTuple

from predictor.spreadsheets.dates import date_styles, moment
from predictor.spreadsheets.workbook_parts import (
    Archive,
    Elements,
    PartReader,
    UnreadableWorkbook,
    target,
)

_BEGINNING = b"PK\x03\x04"
_MOST_TEXTS = 1_000_000  # in the table of shared texts
_MOST_ROWS, _MOST_COLUMNS = 2**20, 2**14  # per sheet (ECMA-376)
_MOST_CELLS = 5_000_000  # including blank ones within a row
_MOST_CHARACTERS = 32_767  # per cell
_IN_MEMORY = 2**20  # bytes
_ESCAPED = re.compile(r"_x(?![Dd][89A-Fa-f])([0-9A-Fa-f]{4})_")  # part 1, 22.9.2.19; no surrogates
_PLACE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_Cells = list[tuple[int, str]]  # (column from 1, text) of cells that are not blank


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


def _padded(rows: Iterator["_Cells"]) -> Iterator[list[str]]:
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


class _Text(PartReader):
    """Collects the text of cells, without their pronunciation guides."""

    def __init__(self) -> None:
        self._inside = self._aside = 0
        self._pieces: list[str] = []
        self._size = 0

    def text(self, text: str) -> None:
        if self._inside and not self._aside:
            self._pieces.append(text)
            self._size += len(text)
            if self._size > _MOST_CHARACTERS:
                raise UnreadableWorkbook(
                    f"a cell of the workbook has more than {_MOST_CHARACTERS:,} characters"
                )

    def taken(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


class _SharedTexts(_Text):
    """The table of texts to which cells refer by number."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def start(self, name: str, has: dict[str, str]) -> None:
        self._inside += name == "t"
        self._aside += name == "rPh"

    def end(self, name: str) -> None:
        self._inside -= name == "t"
        self._aside -= name == "rPh"
        if name == "si":
            self.found.append(self.taken())
            if len(self.found) > _MOST_TEXTS:
                raise UnreadableWorkbook("the workbook has too many texts; save it as CSV")


class _Sheet(_Text):
    """The rows of a sheet read so far; the consumer empties ``rows``."""

    def __init__(self, texts: list[str], dated: list[bool], since_1904: bool) -> None:
        super().__init__()
        self._texts, self._dated, self._since_1904 = texts, dated, since_1904
        self.rows: list[_Cells] = []
        self._number = self._column = 0  # of the row and column being read, from 1
        self._cells: _Cells = []
        self._kind = self._style = ""

    def start(self, name: str, has: dict[str, str]) -> None:
        if name == "row":
            self._begin_row(has.get("r"))
        elif name == "c":
            self._begin_cell(has)
        elif name in ("v", "t"):
            self._inside += 1
        elif name == "rPh":
            self._aside += 1
        elif name == "f":
            raise UnreadableWorkbook(f"cell {self._place} holds a formula; save its values only")

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._inside -= 1
        elif name == "rPh":
            self._aside -= 1
        elif name == "c":
            if value := self._value():
                self._cells.append((self._column, value))
        elif name == "row":
            self.rows.append(self._cells)

    @property
    def _place(self) -> str:
        return f"{_letters(self._column)}{self._number}"

    def _begin_row(self, said: str | None) -> None:
        before, self._number = (
            self._number,
            int(said or 0) if _is_number(said) else self._number + 1,
        )
        if not before < self._number <= _MOST_ROWS:
            raise UnreadableWorkbook(f"row {self._number} of the workbook is not in its order")
        self.rows += [[]] * (self._number - before - 1)
        self._cells, self._column = [], 0

    def _begin_cell(self, has: dict[str, str]) -> None:
        place = _PLACE.fullmatch(has.get("r", ""))
        before, self._column = self._column, _column(place[1]) if place else self._column + 1
        if not before < self._column <= _MOST_COLUMNS:
            raise UnreadableWorkbook(f"cell {self._place} of the workbook is not in its order")
        self._kind, self._style = has.get("t", "n"), has.get("s", "0")

    def _value(self) -> str:
        text = self.taken()
        if self._kind == "e":
            raise UnreadableWorkbook(f"cell {self._place} holds the error {text[:20]}")
        if self._kind == "s":
            at = int(text) if _is_number(text) else -1
            if not 0 <= at < len(self._texts):
                raise UnreadableWorkbook(f"cell {self._place} refers to a text that is not there")
            return self._texts[at]
        if self._kind == "b":
            return {"0": "false", "1": "true"}.get(text, text)
        if self._kind != "n" or not text:
            return text
        return self._number_or_date(text)

    def _number_or_date(self, text: str) -> str:
        try:
            number = float(text)
        except ValueError:
            raise UnreadableWorkbook(f"cell {self._place} holds no number: {text[:20]}") from None
        style = int(self._style) if _is_number(self._style) else 0
        if style < len(self._dated) and self._dated[style]:
            return moment(number, since_1904=self._since_1904) or text
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


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
            raise UnreadableWorkbook("the file is no XLSX workbook; save it as CSV or XLSX")
        listed = Elements("sheet", "workbookPr")
        archive.read(book, listed)
        self.sheets = [
            _Listed(has.get("name", ""), target(archive, book, "worksheet", has.get("id", "")))
            for has in _seen([has for name, has in listed.found if name == "sheet"])
        ]
        self._since_1904 = any(has.get("date1904") in ("1", "true") for _, has in listed.found)
        self._texts = _SharedTexts()
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
            raise UnreadableWorkbook("no sheet of the workbook holds anything")
        return filled[0]

    def rows(self, listed: _Listed) -> Iterator[_Cells]:
        """Yield the cells of each row."""
        if listed.part not in self._archive.names:
            raise UnreadableWorkbook("the workbook's sheet is not there")
        sheet = _Sheet(self._texts.found, self._dated, self._since_1904)
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


def _is_number(text: str | None) -> bool:
    return bool(re.fullmatch("[0-9]{1,7}", text or ""))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _letters(column: int) -> str:
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
