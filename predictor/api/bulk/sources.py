"""The rows of a CSV or Parquet file: each one's item, or why it cannot be scored."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from predictor.api.bulk.errors import BulkError, needs_pyarrow
from predictor.api.csv_rows import CsvRows
from predictor.api.wanted import Wanted
from predictor.artifacts.contract import Contract
from predictor.artifacts.errors import InvalidInput
from predictor.http.errors import MalformedBody
from predictor.predictions.origin import reference_text
from predictor.predictions.references import check_field
from predictor.spreadsheets.cells import escape_formula
from predictor.spreadsheets.dialect import PLAIN, Dialect

PARQUET = ".parquet"
_CHUNK = 1_000  # rows of a Parquet file in memory


class SourceRow(NamedTuple):
    """One row: its number, its cells, and the item they make."""

    number: int  # as in a spreadsheet: the header is 1
    cells: Sequence[Any]
    item: dict[str, Any]
    reference: str = ""
    problem: str = ""  # why it cannot be scored; else empty


class RowSource(Protocol):
    """A file with named columns."""

    header: list[str]
    types: Any  # an Arrow schema, or None where every cell is text
    dialect: Dialect  # for a CSV of its rows

    def rows(self, skip: int) -> Iterator[SourceRow]:
        """All rows after the first ``skip``."""

    def texts(self, cells: Sequence[Any]) -> list[str]:
        """Cells, or the header, for a CSV: from a CSV unchanged, from Parquet never a formula."""

    def position(self) -> int:
        """The number of bytes read so far."""


class CsvSource:
    """A CSV file; undecodable rows, and rows of another width, are refused one by one."""

    types = None

    def __init__(self, path: Path, contract: Contract, reference: str, closing: ExitStack) -> None:
        """Raises UnreadableCSV, InvalidInput, BulkError."""
        self._file = closing.enter_context(path.open("rb"))
        try:
            self._rows = CsvRows(self._file, contract, Wanted(reference=reference), strict=False)
        except MalformedBody as error:
            raise BulkError(str(error)) from error
        self.header = self._rows.csv.header
        self.dialect = self._rows.csv.dialect

    def rows(self, skip: int) -> Iterator[SourceRow]:
        for number, _, cells in islice(self._rows.csv.rows(), skip, None):
            if len(cells) != len(self.header):
                problem = f"it has {len(cells)} cells, the header has {len(self.header)}"
                yield SourceRow(number, cells, {}, problem=problem)
                continue
            try:
                (reference,) = self._rows.references([cells]).texts or ("",)
            except InvalidInput as invalid:
                yield SourceRow(number, cells, {}, problem=str(invalid))
                continue
            yield SourceRow(number, cells, self._rows.item(cells), reference)

    def texts(self, cells: Sequence[Any]) -> list[str]:
        return list(cells)

    def position(self) -> int:
        return self._file.tell()


class ParquetSource:
    """A Parquet file, whose columns hold the features' values as in JSON."""

    dialect = PLAIN

    def __init__(self, path: Path, contract: Contract, reference: str, closing: ExitStack) -> None:
        """Raises BulkError, also where a column is missing."""
        self._file = closing.enter_context(_parquet(path))
        self.types = self._file.schema_arrow
        self.header = list(self.types.names)
        self._size, self._read = path.stat().st_size, 0
        needed = [feature.name for feature in contract.features if not feature.missing]
        if reference:
            check_field(reference, contract, ())
            needed.append(reference)
        if taken := {*contract.flag_names} & {*self.header}:
            raise BulkError(f"the column '{min(taken)}' would be overwritten")
        if missing := [name for name in needed if name not in self.header]:
            raise BulkError(f"{path} has no column '{missing[0]}'")
        self._features = [f.name for f in contract.features if f.name in self.header]
        self._reference = reference

    def rows(self, skip: int) -> Iterator[SourceRow]:
        number = 1
        for batch in self._file.iter_batches(_CHUNK):
            self._read += batch.num_rows
            if number + batch.num_rows - 1 <= skip:
                number += batch.num_rows
                continue
            for row in batch.to_pylist():
                number += 1
                if number - 1 > skip:
                    yield self._row(number, row)

    def texts(self, cells: Sequence[Any]) -> list[str]:
        return [escape_formula(_as_text(cell)) for cell in cells]

    def position(self) -> int:
        rows: int = max(self._file.metadata.num_rows, 1)
        return self._size * self._read // rows

    def _row(self, number: int, row: dict[str, Any]) -> SourceRow:
        cells = list(row.values())
        item = {name: _as_json(row[name]) for name in self._features}
        if not self._reference or row[self._reference] is None:
            return SourceRow(number, cells, item)
        try:
            reference = reference_text(str(row[self._reference]), self._reference)
        except InvalidInput as invalid:
            return SourceRow(number, cells, item, problem=str(invalid))
        return SourceRow(number, cells, item, reference)


def _parquet(path: Path) -> Any:
    """The open file. Raises BulkError if it is not Parquet, or without pyarrow."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - 50 MB, which only such a file needs
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise needs_pyarrow() from None
    try:
        return pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise BulkError(f"{path} is no Parquet file: {error}") from error


def open_source(path: Path, contract: Contract, reference: str, closing: ExitStack) -> RowSource:
    """The source for ``path``, by its suffix. Raises OSError, and what the sources raise."""
    kind = ParquetSource if path.suffix.lower() == PARQUET else CsvSource
    return kind(path, contract, reference, closing)


def _as_text(cell: Any) -> str:
    value = "" if cell is None else _as_json(cell)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
