"""Writes the cells of CSV files, with text escaped so that it is never a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from predictor.spreadsheets.dialect import PLAIN, SEPARATORS, Dialect

Cell = str | float | bool | None
Cells = Sequence[Cell]

# What begins a formula (OWASP, CSV Injection): the signs; the same in full width, for spreadsheets
# set to an East Asian language; and a tab, line break or byte order mark, which some drop.
_FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n\ufeff"
# Invisible characters that a spreadsheet may drop before a sign: blanks and controls; and quotes,
# which a spreadsheet with another separator than the file reads as those around a cell.
_UNSEEN = (
    r"\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
    '"'
)
_START = f"(?='*[{_UNSEEN}]*[{_FORMULA}])"
# A spreadsheet whose language uses another separator begins a cell after that one too. It then
# treats no quotes as quotes, so a line break within them begins a row.
_BREAKS = {own: "\r\n" + SEPARATORS.replace(own, "") for own in SEPARATORS}
_BREAK = {own: re.compile(f"[{breaks}]") for own, breaks in _BREAKS.items()}
_LIVE = {own: re.compile(f"(^|[{breaks}]){_START}") for own, breaks in _BREAKS.items()}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ESCAPED = re.compile(f"(^|[\r\n{SEPARATORS}])'{_START}")


def escape_formula(text: str, separator: str = ",") -> str:
    """``text`` with an apostrophe before anything that a spreadsheet would read as a formula.

    An existing apostrophe gets a second one, so that different texts stay different.
    """
    if not text[:1].isalnum() or _BREAK[separator].search(text):
        return _LIVE[separator].sub(r"\1'", text)
    return text


def unescape_formula(text: str) -> str:
    """The original of an escaped ``text``; ``text`` itself if it was not escaped."""
    return _ESCAPED.sub(r"\1", text) if "'" in text else text


def csv_lines(rows: Iterable[Cells], dialect: Dialect = PLAIN) -> bytes:
    """Lines of a CSV file for spreadsheets, in which no text is a formula."""
    own = dialect.separator
    escaped = (
        [escape_formula(cell, own) if isinstance(cell, str) else cell for cell in row]
        for row in rows
    )
    return verbatim_lines(escaped, dialect)


def table_lines(rows: Iterable[Cells]) -> bytes:
    """The same for programs: text that spells a negative number gets no apostrophe."""
    return verbatim_lines(
        [escape_formula(cell) if isinstance(cell, str) and not _NUMBER.fullmatch(cell) else cell
         for cell in row] for row in rows
    )  # fmt: skip


def verbatim_lines(rows: Iterable[Cells], dialect: Dialect = PLAIN) -> bytes:
    """The same without escaping: for the person who wrote the cells, or for no spreadsheet."""
    text = io.StringIO()
    csv.writer(text, delimiter=dialect.separator, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode(dialect.codec, "replace")
