"""Bulk predictions: a CSV with a header row in, the same CSV with the flags appended out."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import BinaryIO, NamedTuple

from django.http import StreamingHttpResponse

from predictor.api.again import claimed
from predictor.api.csv_rows import CsvRows
from predictor.api.wanted import ID, PLAIN, Wanted
from predictor.artifacts.errors import Abstention, FieldError, InvalidInput
from predictor.artifacts.inputs import MAX_ERRORS, MAX_GUESSES, Row
from predictor.artifacts.scores import Scores
from predictor.artifacts.support import DETAILS
from predictor.artifacts.version import ModelVersion
from predictor.http.errors import MalformedBody, note_failure
from predictor.predictions.attribution import EXPLAIN
from predictor.predictions.claims import Claim
from predictor.predictions.once import predict_once
from predictor.predictions.origin import Origin
from predictor.predictions.predict import Answer, Terms, encode, score
from predictor.spreadsheets.cells import escape_formula, verbatim_lines

BATCH = 1_000  # rows scored and recorded at a time


class RowLimit(NamedTuple):
    """The most rows a file may have, and a function that gets their number."""

    rows: int
    note: Callable[[int], None]  # counts them against the caller's rate, and may raise

    def check(self, row: int) -> None:
        """Raises MalformedBody at the first row beyond the limit."""
        if row > self.rows:
            raise MalformedBody(
                f"the CSV has more than {self.rows:,} rows; send it in parts", field="row"
            )


def read_csv(
    file: BinaryIO, model: ModelVersion, limit: RowLimit, wanted: Wanted = PLAIN
) -> CsvRows:
    """Check and score the whole file, so that no row can break off a response that has begun.

    ``file`` is read again, and stays open, until the last row is answered. Raises InvalidInput
    naming rows and fields, MalformedBody or UnreadableCSV when it is not a CSV with a header, and
    ScoringError: Abstention where the model has no answer for some row.
    """
    rows = CsvRows(file, model.contract, wanted)
    errors: list[FieldError] = []
    count, remaining = 0, iter(rows)
    while batch := list(itertools.islice(remaining, BATCH)):
        encoded: list[Row] = []
        for number, cells, item in batch:
            count += 1
            limit.check(count)
            wrong = rows.problems(cells)
            try:
                encoded.append(encode(model, item, MAX_GUESSES - len(errors)))
            except InvalidInput as invalid:
                wrong += invalid.errors
            errors += [replace(e, field=f"row {number}: {e.field}") for e in wrong]
        if len(errors) >= MAX_ERRORS:
            break
        if not errors:
            rows.keep(_scored(model, encoded, [number for number, _, _ in batch]))
        time.sleep(0)  # under gevent, let other requests go on
    if errors:
        raise InvalidInput(errors[:MAX_ERRORS])
    if not count:
        raise MalformedBody("the CSV has a header but no rows")
    limit.note(count)
    return rows


def _scored(model: ModelVersion, rows: Sequence[Row], numbers: Sequence[int]) -> Scores:
    try:
        return score(model, rows)
    except Abstention as abstention:
        abstention.prefix = f"row {numbers[abstention.position]}: "
        raise


def answer_csv(
    model: ModelVersion, rows: CsvRows, origin: Origin, claim: Claim | None = None
) -> tuple[Answer, Iterator[bytes]]:
    """The first answer, and the file piece by piece; each piece is recorded before it is sent."""
    pieces = _pieces(model, rows, origin, claim)
    first_answer, first_piece = next(pieces)
    # the caller's columns come back unchanged; the model's columns must not be formulas
    dialect = rows.csv.dialect
    # its own: where two sent the key at once, another version may have been faster
    flags = [escape_formula(name, dialect.separator) for name in first_answer.scores]
    added = [*flags, ID] if rows.with_ids else flags
    header = dialect.mark + verbatim_lines([[*rows.csv.header, *added]], dialect)
    if claim and claim.is_ended:  # whether all is on record is seen before the answer begins
        pieces = iter([*pieces])
    return first_answer, itertools.chain([header, first_piece], (piece for _, piece in pieces))


def _pieces(
    model: ModelVersion, rows: CsvRows, origin: Origin, claim: Claim | None
) -> Iterator[tuple[Answer, bytes]]:
    remaining, kept = iter(rows), rows.kept()
    while batch := list(itertools.islice(remaining, BATCH)):
        items = [item for _, _, item in batch]
        references = rows.references(cells for _, cells, _ in batch)
        terms = Terms(scores=next(kept), references=references)
        answers = predict_once(model, items, origin, claim, terms)
        lines = (
            [*cells, *answer.scores.values(), *([str(answer.id)] if rows.with_ids else ())]
            for (_, cells, _), answer in zip(batch, answers, strict=True)
        )
        yield answers[0], verbatim_lines(lines, rows.csv.dialect)


def stream_csv(
    model: ModelVersion, file: BinaryIO, origin: Origin, limit: RowLimit, wanted: Wanted = PLAIN
) -> StreamingHttpResponse:
    """Stream the answers to the rows of ``file``, then close it; raises what read_csv raises."""
    with ExitStack() as closing:
        closing.enter_context(file)
        for name, asked in ((DETAILS, wanted.details), (EXPLAIN, wanted.explain)):
            if asked:
                raise MalformedBody(f"{name} is answered in JSON only, not in CSV", field=name)
        model, claim = claimed(model, wanted.key, origin, file, wanted.reference)
        wanted.check(model.contract, 0, in_array=True)
        rows = read_csv(file, model, limit, wanted)
        charset = rows.csv.dialect.charset
        first, pieces = answer_csv(model, rows, origin, claim)
        # the header has the first row's id: the others follow it in the log, in order
        headers = {"X-Prediction-Id": str(first.id), "X-Model-Version": first.version}
        response = StreamingHttpResponse(
            _counted(pieces), content_type=f"text/csv; charset={charset}", headers=headers
        )
        response._resource_closers.append(closing.pop_all().close)  # type: ignore[attr-defined] # noqa: SLF001
        return response


def _counted(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Log and count a failure after the response has begun; the connection then breaks off."""
    try:
        yield from pieces
    except Exception as error:
        note_failure(error)
        raise
