"""The output: pieces, after each of which the file may be cut off, until it is complete.

CSV is made of such pieces. Parquet is not, since its index is at the end; so the pieces are those
of an Arrow stream, which becomes a Parquet file at the end.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from predictor.api.bulk.errors import needs_pyarrow
from predictor.api.bulk.sources import PARQUET, RowSource, SourceRow
from predictor.artifacts.contract import Contract
from predictor.artifacts.durable import move_into_place
from predictor.predictions.predict import Answer
from predictor.spreadsheets.cells import Cells, escape_formula, verbatim_lines

_ROW_GROUP = 50_000  # rows of a Parquet file per write


class Output(Protocol):
    """How answered rows are written."""

    def head(self) -> bytes:
        """The first bytes of the file."""

    def piece(self, rows: Sequence[SourceRow], answers: Sequence[Answer]) -> bytes:
        """The bytes of some rows with their answers."""

    def finish(self, part: Path, whole: Path) -> None:
        """Make the file ``whole`` from all pieces."""


class CsvOutput:
    """The rows unchanged, with the scores and the id added."""

    def __init__(self, source: RowSource, contract: Contract) -> None:
        self._source, self._dialect = source, source.dialect
        flags = [escape_formula(flag, self._dialect.separator) for flag in contract.flag_names]
        names = [*source.texts(source.header), *flags]
        self._header = [*names, id_column(names)]

    def head(self) -> bytes:
        return self._dialect.mark + verbatim_lines([self._header], self._dialect)

    def piece(self, rows: Sequence[SourceRow], answers: Sequence[Answer]) -> bytes:
        lines: Iterator[Cells] = (
            [*self._source.texts(row.cells), *answer.scores.values(), str(answer.id)]
            for row, answer in zip(rows, answers, strict=True)
        )
        return verbatim_lines(lines, self._dialect)

    def finish(self, part: Path, whole: Path) -> None:
        move_into_place(part, whole)


class ParquetOutput:
    """The same with the columns' own types, where the source has types."""

    def __init__(self, source: RowSource, contract: Contract) -> None:
        """Raises BulkError without pyarrow."""
        try:
            import pyarrow as pa  # noqa: PLC0415 - 50 MB, needed only for Parquet
            import pyarrow.parquet as pq  # noqa: PLC0415
        except ImportError:
            raise needs_pyarrow() from None
        self._pa, self._pq = pa, pq
        own = source.types or [pa.field(name, pa.string()) for name in source.header]
        scores = [pa.field(flag, pa.float64()) for flag in contract.flag_names]
        identity = pa.field(id_column([*source.header, *contract.flag_names]), pa.string())
        self._schema = pa.schema([*own, *scores, identity])

    def head(self) -> bytes:
        found: bytes = self._schema.serialize().to_pybytes()
        return found

    def piece(self, rows: Sequence[SourceRow], answers: Sequence[Answer]) -> bytes:
        cells = [
            [*row.cells, *answer.scores.values(), str(answer.id)]
            for row, answer in zip(rows, answers, strict=True)
        ]
        columns: list[Any] = [list(column) for column in zip(*cells, strict=True)]
        arrays = [
            self._pa.array(column, field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        batch = self._pa.record_batch(arrays, schema=self._schema)
        found: bytes = batch.serialize().to_pybytes()
        return found

    def finish(self, part: Path, whole: Path) -> None:
        draft = whole.with_name(f".{whole.name}-draft")
        with part.open("rb") as file, self._pq.ParquetWriter(draft, self._schema) as writer:
            waiting: list[Any] = []
            for batch in self._pa.ipc.open_stream(file):
                waiting.append(batch)
                if sum(one.num_rows for one in waiting) >= _ROW_GROUP:
                    writer.write_table(self._pa.Table.from_batches(waiting))
                    waiting = []
            if waiting:
                writer.write_table(self._pa.Table.from_batches(waiting))
        move_into_place(draft, whole)


def id_column(taken: Sequence[str]) -> str:
    """The name of the id column; not ``id`` if the file or the model has an ``id``."""
    name = "prediction_id" if "id" in taken else "id"
    while name in taken:
        name += "_"
    return name


def open_output(path: Path, source: RowSource, contract: Contract) -> Output:
    """The output for ``path``, by its suffix. Raises BulkError."""
    kind = ParquetOutput if path.suffix.lower() == PARQUET else CsvOutput
    return kind(source, contract)
