"""Writes XLSX row by row into a stream: no library does that without a temporary file."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape

from predictor.spreadsheets.cells import Cell, Cells, unescape_formula

_MAX_ROWS = 1_048_576  # per sheet, including the header
_MAX_TEXT = 32_767  # characters per cell
_PIECE = 64 * 1024  # bytes

# The minimum of a file (ECMA-376, part 1, 12.3.24 and 18.3): a workbook and its sheets.
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET_START = f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode()
# Text that Excel would read as an escaped character (part 1, 22.9.2.19): escape its underscore
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
# Numbers without more digits than a spreadsheet keeps
_NUMBER = re.compile(r"-?[0-9]{1,15}|-?[0-9]{1,15}\.[0-9]+(e-[0-9]+)?")
# Characters that XML 1.0 forbids
_NOT_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF], "\ufffd")


def workbook(header: Cells, rows: Iterable[Cells]) -> Iterator[bytes]:
    """The pieces of a file with as many sheets as the rows need, each with the header.

    Texts are inline strings, which a spreadsheet never reads as formulas.
    """
    stream = _Pieces()
    remaining = iter(rows)
    sheets, more = 0, True
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        while more:
            sheets += 1
            path = f"xl/worksheets/sheet{sheets}.xml"
            with archive.open(path, "w", force_zip64=True) as sheet:
                sheet.write(_SHEET_START + _row(header))
                count = 1
                more = False
                for row in remaining:
                    sheet.write(_row(row))
                    count += 1
                    if stream.size > _PIECE:
                        yield stream.drain()
                    if count == _MAX_ROWS:
                        more = True
                        break
                sheet.write(b"</sheetData></worksheet>")
        for name, content in _parts(sheets):
            archive.writestr(name, content)
    yield stream.drain()


def answered_workbook(pieces: Iterable[bytes], added: int) -> Iterator[bytes]:
    """Turn the pieces of an answered CSV (UTF-8, whole rows each) into those of a workbook.

    Text in the form in which this server writes numbers becomes a number. The last ``added`` names
    of the header need no apostrophe here, for no text in a workbook is a formula.
    """
    rows = (row for piece in pieces for row in csv.reader(io.StringIO(piece.decode(), newline="")))
    header = next(rows)
    named = [*header[:-added], *map(unescape_formula, header[-added:])]
    return workbook(named, (list(map(_as_number, row)) for row in rows))


def _as_number(text: str) -> Cell:
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    return number if text in (repr(number), f"{number:.0f}") else text


class _Pieces(io.RawIOBase):
    """A file object whose content is sent while it is written."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        data = bytes(piece)
        self._pieces.append(data)
        self.size += len(data)
        return len(data)

    def drain(self) -> bytes:
        """Return and forget the bytes written since the last call."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return data


def _row(cells: Cells) -> bytes:
    return f"<row>{''.join(map(_cell, cells))}</row>".encode()


def _cell(cell: Cell) -> str:
    if cell is None:
        return "<c/>"
    if isinstance(cell, bool):
        return f'<c t="b"><v>{cell:d}</v></c>'
    if isinstance(cell, str):
        text = _ESCAPED.sub("_x005F_", cell[:_MAX_TEXT].translate(_NOT_XML))
        text = escape(text, {"\r": "&#13;"})  # a parser would turn it into a line feed
        return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    return f"<c><v>{cell!r}</v></c>"


def _parts(sheets: int) -> Iterator[tuple[str, str]]:
    """Name and content of each part that is not a sheet."""
    listed = relations = types = ""
    for n in range(1, sheets + 1):
        listed += f'<sheet name="Predictions {n}" sheetId="{n}" r:id="rId{n}"/>'
        relations += _relation(n, "worksheet", f"worksheets/sheet{n}.xml")
        types += _type(f"/xl/worksheets/sheet{n}.xml", "worksheet")
    book = f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets></workbook>'
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    default = f'<Default Extension="rels" ContentType="{rels}"/>'
    types = default + _type("/xl/workbook.xml", "sheet.main") + types
    yield "xl/workbook.xml", _XML + book
    yield "xl/_rels/workbook.xml.rels", _relationships(relations)
    yield "_rels/.rels", _relationships(_relation(1, "officeDocument", "xl/workbook.xml"))
    yield "[Content_Types].xml", f'{_XML}<Types xmlns="{_PACKAGE}/content-types">{types}</Types>'


def _relation(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'


def _type(part: str, kind: str) -> str:
    return f'<Override PartName="{part}" ContentType="{_TYPE}.{kind}+xml"/>'


def _relationships(inside: str) -> str:
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{inside}</Relationships>'
