"""Scoring a file: each batch is recorded before the next begins, each part journalled."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from predictor.api.bulk import journal as journals
from predictor.api.bulk.outputs import open_output
from predictor.api.bulk.sources import RowSource, SourceRow, open_source
from predictor.artifacts.errors import Abstention, InvalidInput
from predictor.artifacts.version import ModelVersion
from predictor.log.uuid7 import uuid7
from predictor.predictions.claims import Series
from predictor.predictions.once import predict_once
from predictor.predictions.origin import Origin, command_origin
from predictor.predictions.predict import Answer, Terms
from predictor.predictions.references import References
from predictor.spreadsheets.cells import escape_formula, verbatim_lines

BATCH = 25  # rows in a commit: a request beside it waits no longer for the log or a processor
NOTED = 500  # rows in a part: all are on the disk before the journal says so


_Answered = list[tuple[SourceRow, Answer]]
Progress = Callable[[int, float], None]


class Files(NamedTuple):
    """The source, the output and the journal."""

    source: Path
    answers: Path

    @property
    def part(self) -> Path:
        """The file of answers until it is complete."""
        return self.answers.with_name(f"{self.answers.name}.part")

    @property
    def journal(self) -> Path:
        return self.answers.with_name(f"{self.answers.name}.journal")

    @property
    def refused(self) -> Path:
        """A CSV of the refused rows, with the reasons."""
        return self.answers.with_name(f"{self.answers.stem}.refused.csv")


def score_file(
    model: ModelVersion,
    files: Files,
    journal: journals.Journal,
    operator: str,
    progress: Progress,
) -> None:
    """Answer all rows that are not in ``journal`` yet, and complete the file of answers.

    ``operator`` goes on record as the caller; ``progress`` is called after each batch, and once a
    part is journalled, with the bytes read so far, and the seconds it took.

    Raises BulkError, OSError, UnreadableCSV, ScoringError, LogUnavailable; then the same call
    resumes where this one ended.
    """
    origin = command_origin(operator)
    with ExitStack() as closing:
        source = open_source(files.source, model.contract, journal.reference, closing)
        output = open_output(files.answers, source, model.contract)
        answers = journals.open_part(files.part, journal.written, closing)
        refused = journals.open_part(files.refused, journal.refused_written, closing)
        if not journal.written:
            journal.written = journals.put(answers, output.head())
            head = verbatim_lines([["row", "problem", *source.texts(source.header)]])
            journal.refused_written = journals.put(refused, head)
            journal.save(files.journal)
        rows, is_new = source.rows(journal.rows), False
        while part := list(islice(rows, NOTED)):
            series = Series(UUID(journal.first))
            answer = partial(_answer, model, origin, series, is_new=is_new)
            done, wrong = _in_batches(part, answer, partial(progress, source.position()))
            started = time.monotonic()
            if done:
                journal.written += journals.put(answers, output.piece(*zip(*done, strict=True)))
            if wrong:
                journal.refused_written += journals.put(refused, _refused(source, wrong))
            journal.rows += len(part)
            journal.scored += len(done)
            journal.refused += len(wrong)
            journal.first = str(uuid7())
            journal.save(files.journal)
            progress(source.position(), time.monotonic() - started)
            is_new = True
        output.finish(files.part, files.answers)
    remove_leftovers(files, journal)


def _in_batches(
    part: list[SourceRow],
    answer: Callable[[list[SourceRow]], tuple[_Answered, list[SourceRow]]],
    progress: Callable[[float], None],
) -> tuple[_Answered, list[SourceRow]]:
    """What ``answer`` says of all rows, asked BATCH by BATCH."""
    done: _Answered = []
    wrong: list[SourceRow] = []
    for at in range(0, len(part), BATCH):
        started = time.monotonic()
        answered, refused = answer(part[at : at + BATCH])
        done += answered
        wrong += refused
        progress(time.monotonic() - started)
    return done, wrong


def _answer(
    model: ModelVersion, origin: Origin, series: Series, batch: list[SourceRow], *, is_new: bool
) -> tuple[_Answered, list[SourceRow]]:
    """The answered rows with their answers, and the refused rows with the reasons.

    Unless ``is_new``, a command that was ended may have put them on record.
    """
    good, wrong = [], []
    for row in batch:
        problem = row.problem or _problem(model, row)
        if problem:
            wrong.append(row._replace(problem=problem))
        else:
            good.append(row)
    while good:
        references = References([row.reference for row in good])
        terms = Terms(references=references, identify=series.identify)
        known = None if is_new else series
        try:
            answers = predict_once(model, [row.item for row in good], origin, known, terms)
        except Abstention as abstention:
            wrong.append(good.pop(abstention.position)._replace(problem=str(abstention)))
        else:
            return list(zip(good, answers, strict=True)), wrong
    return [], wrong


def _problem(model: ModelVersion, row: SourceRow) -> str:
    try:
        model.encoder.encode(row.item, 0)
    except InvalidInput as invalid:
        return str(invalid)
    return ""


def _refused(source: RowSource, rows: list[SourceRow]) -> bytes:
    return verbatim_lines(
        [row.number, escape_formula(row.problem), *source.texts(row.cells)]
        for row in sorted(rows, key=lambda row: row.number)
    )


def remove_leftovers(files: Files, journal: journals.Journal) -> None:
    """Remove the files that are not needed once the answers are complete."""
    files.part.unlink(missing_ok=True)
    if not journal.refused:
        files.refused.unlink(missing_ok=True)
    files.journal.unlink()
