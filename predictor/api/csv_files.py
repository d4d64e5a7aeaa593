"""Bulk predictions: a CSV with a header row in, the same CSV with the flags appended out."""

import csv
import io
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from django.http import StreamingHttpResponse

from predictor.artifacts.contract import Contract
from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.inputs import MAX_ERRORS, MAX_GUESSES, MAX_SHOWN, nearest, value_from_text
from predictor.artifacts.version import ModelVersion
from predictor.errors import MalformedBody
from predictor.http.errors import note
from predictor.log.exporting import escape_formula
from predictor.predictions.asker import Asker
from predictor.predictions.predict import Answer, encode, predict

BATCH = 1_000  # rows scored, and put on record, at a time
_SEPARATORS = ";\t|"  # of spreadsheets where a comma is the decimal point


@dataclass(frozen=True)
class CsvRows:
    """The rows of one CSV file; columns the model does not know are passed through."""

    file: BinaryIO
    contract: Contract
    header: list[str]

    def __iter__(self) -> Iterator[tuple[int, list[str], dict[str, Any]]]:
        """(row number as a spreadsheet counts, the cells, the item they say)."""
        where = {name: position for position, name in enumerate(self.header)}
        columns = [(f, where[f.name]) for f in self.contract.features if f.name in where]
        for number, cells in enumerate(_records(self.file), start=1):
            if number == 1 or not cells:
                continue
            if len(cells) != len(self.header):
                message = f"row {number} has {len(cells)} cells, the header has {len(self.header)}"
                raise MalformedBody(message, field=f"row {number}")
            yield number, cells, {f.name: value_from_text(f, cells[at]) for f, at in columns}


def read_csv(file: BinaryIO, model: ModelVersion) -> CsvRows:
    """Check the whole file, so that an answer that has begun is never broken off by a wrong row.

    ``file`` is read again, and stays open, until the last row is answered.
    Raises InvalidInput naming rows and fields, MalformedBody when it is no CSV with a header.
    """
    rows = CsvRows(file, model.contract, next(_records(file), []))
    _check_header(rows)
    errors: list[FieldError] = []
    count = 0
    for number, _, item in rows:
        count += 1
        if count % BATCH == 0:
            time.sleep(0)  # under gevent this lets other requests go on
        try:
            encode(model, item, MAX_GUESSES - len(errors))
        except InvalidInput as invalid:
            errors += [replace(e, field=f"row {number}: {e.field}") for e in invalid.errors]
        if len(errors) >= MAX_ERRORS:
            break
    if errors:
        raise InvalidInput(errors[:MAX_ERRORS])
    if not count:
        raise MalformedBody("the CSV has a header but no rows")
    return rows


def answer_csv(model: ModelVersion, rows: CsvRows, asker: Asker) -> tuple[Answer, Iterator[bytes]]:
    """The first answer, and the file piece by piece; each piece is on record before it leaves."""
    pieces = _pieces(model, rows, asker)
    first_answer, first_piece = next(pieces)
    # the caller's own columns come back as they are; what the model adds must be no formula
    header = _lines([[*rows.header, *map(escape_formula, model.contract.flag_names)]])
    return first_answer, itertools.chain([header, first_piece], (piece for _, piece in pieces))


def _pieces(model: ModelVersion, rows: CsvRows, asker: Asker) -> Iterator[tuple[Answer, bytes]]:
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, BATCH)):
        answers = predict(model, [item for _, _, item in batch], asker)
        yield (
            answers[0],
            _lines(
                [*cells, *answer.scores.values()]
                for (_, cells, _), answer in zip(batch, answers, strict=True)
            ),
        )


def _check_header(rows: CsvRows) -> None:
    header, contract = rows.header, rows.contract
    if not header:
        raise MalformedBody("the CSV's first row is empty; it must name the columns")
    names = Counter(header)
    if twins := [name[:MAX_SHOWN] for name, count in names.items() if count > 1]:
        raise MalformedBody(f"the column {twins[0]!r} stands twice in the header", field=twins[0])
    if taken := [name for name in contract.flag_names if name in names]:
        raise MalformedBody(f"the column {taken[0]!r} would be overwritten", field=taken[0])
    if len(header) == 1 and (found := [c for c in _SEPARATORS if c in header[0]]):
        raise MalformedBody(f"the columns must be separated by commas, not by {found[0]!r}")
    missing = [f.name for f in contract.features if f.name not in names][:MAX_ERRORS]
    if missing:
        near = [nearest(name, header) for name in missing[:MAX_GUESSES]]
        raise InvalidInput(
            [
                FieldError(name, "the header has no such column", guess)
                for name, guess in itertools.zip_longest(missing, near)
            ]
        )


def _records(file: BinaryIO) -> Iterator[list[str]]:
    file.seek(0)
    # Excel writes a byte order mark; nobody means it
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        yield from reader
    except UnicodeDecodeError as error:
        where = _first_line_not_utf8(file)
        raise MalformedBody(f"the CSV is not UTF-8: line {where} cannot be read") from error
    except csv.Error as error:
        where = reader.line_num
        raise MalformedBody(f"the CSV cannot be read at line {where}: {error}") from error
    finally:
        if not file.closed:  # as it is when an answer was broken off
            text.detach()  # or it would close the file, which is read again


def _first_line_not_utf8(file: BinaryIO) -> int:
    """The text is decoded in blocks, so the reader's own count of lines lags behind."""
    file.seek(0)
    return next(number for number, line in enumerate(file, start=1) if not _is_utf8(line))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lines(rows: Iterable[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def stream_csv(model: ModelVersion, file: BinaryIO, asker: Asker) -> StreamingHttpResponse:
    """Answer the rows of ``file``, which is closed when that ends; raises what read_csv raises."""
    with ExitStack() as closing:
        closing.enter_context(file)
        first, pieces = answer_csv(model, read_csv(file, model), asker)
        # the id of the first row stands for the file: the others follow it in the log, in order
        headers = {"X-Prediction-Id": str(first.id), "X-Model-Version": model.version}
        response = StreamingHttpResponse(
            _counted(pieces), content_type="text/csv; charset=utf-8", headers=headers
        )
        response._resource_closers.append(closing.pop_all().close)  # type: ignore[attr-defined] # noqa: SLF001
        return response


def _counted(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Note what fails once the answer has begun; the connection then ends unfinished."""
    try:
        yield from pieces
    except Exception as error:
        note(error)
        raise
