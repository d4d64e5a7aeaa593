"""A preview of a file for the bulk feed: its first rows, before it is scored."""

import itertools
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from batclient.sentences import error_in_language
from predictor.api.csv_rows import CsvRows
from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.version import ModelVersion
from predictor.http.errors import MalformedBody

_SHOWN = 5  # rows
_MOST_COLUMNS, _LONGEST = 40, 60  # columns shown of a row, characters of a cell


@dataclass(frozen=True)
class PreviewLine:
    """One row: its number in a spreadsheet, its cells, and whether it must be corrected."""

    number: int
    cells: list[str]
    wrong: bool


@dataclass
class Preview:
    """A file as the model reads it."""

    header: list[tuple[str, bool]]  # (column, whether the model reads it)
    lines: list[PreviewLine] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)
    sheet: str = ""  # of a workbook with several


def first_rows(file: BinaryIO, model: ModelVersion, *, whole: bool) -> Preview:
    """A preview of the file's first rows; scores and records nothing.

    Raises the same errors as predictor.api.csv_files.read_csv.
    """
    rows = CsvRows(file, model.contract, strict=whole)
    known = rows.columns_read
    header = [(name[:_LONGEST], at in known) for at, name in enumerate(rows.csv.header)]
    preview = Preview(header[:_MOST_COLUMNS])
    try:
        for number, cells, item in itertools.islice(rows, _SHOWN):
            wrong = _wrong(model, number, item)
            shown = [cell[:_LONGEST] for cell in cells[:_MOST_COLUMNS]]
            preview.lines.append(PreviewLine(number, shown, bool(wrong)))
            preview.errors += wrong
    except MalformedBody:
        if whole or not preview.lines:  # else the part may end within a row
            raise
    return preview


def _wrong(model: ModelVersion, number: int, item: dict[str, Any]) -> list[FieldError]:
    try:
        model.encoder.encode(item)
    except InvalidInput as invalid:
        named = [replace(error, field=f"row {number}: {error.field}") for error in invalid.errors]
        return list(map(error_in_language, named))
    return []
