"""The way of a prediction: items in, scores out, recorded before they are sent."""

import time
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, Self
from uuid import UUID

from predictor.artifacts.errors import Abstention, InvalidInput, ScoringError
from predictor.artifacts.inputs import MAX_ERRORS, MAX_GUESSES, Row
from predictor.artifacts.scores import Scores
from predictor.artifacts.version import ModelVersion
from predictor.log import refusals, writer
from predictor.log.privacy import as_kept
from predictor.log.steps import step_of
from predictor.log.uuid7 import uuid7s
from predictor.log.writer.rows import json_text, time_text
from predictor.monitoring import metrics
from predictor.predictions.origin import Origin
from predictor.predictions.references import NONE, References

MAX_ITEMS = 1_000  # in one JSON array


class Shown(NamedTuple):
    """The scores of an item, as they are sent and recorded."""

    scores: dict[str, float]
    text: str  # the same as JSON
    top_flag: str  # the one with the highest score
    top_score: float
    step: int  # of the highest score

    @classmethod
    def of(cls, scores: dict[str, float], top_flag: str = "") -> Self:
        """``scores`` by flag; ``top_flag`` is the one of the highest, if that is known."""
        top_flag = top_flag or max(scores, key=scores.__getitem__)
        top_score = scores[top_flag]
        return cls(scores, json_text(scores), top_flag, top_score, step_of(top_score))


class Answer(NamedTuple):
    """The scores of one item, the id of their record, and their row."""

    id: UUID
    shown: Shown
    row: Row  # empty if the answer is from the log, or its scores from a file's check
    version: str

    @property
    def scores(self) -> dict[str, float]:
        """By flag, in the order of the contract."""
        return self.shown.scores

    @property
    def top_flag(self) -> str:
        """The one with the highest score."""
        return self.shown.top_flag


class Terms(NamedTuple):
    """The options for scoring and recording items."""

    in_array: bool = False  # errors name fields with the item's index
    scores: Scores | None = None  # of the items, if they were already checked and scored
    references: References = NONE  # the items' own, instead of the origin's
    identify: Callable[[int], list[UUID]] = uuid7s  # called once all items are scored


ALONE = Terms()
IN_ARRAY = Terms(in_array=True)


def predict(
    model: ModelVersion, items: Sequence[Any], origin: Origin, terms: Terms = ALONE
) -> list[Answer]:
    """Score ``items`` and record every answer.

    Raises InvalidInput naming the wrong fields, Abstention when the model has no answer for some
    item, another ScoringError when it gives no usable score, LogUnavailable when the answers
    cannot be recorded.
    """
    started = time.perf_counter()
    if terms.scores is None:
        rows, found = _scored(model, items, terms)
    else:
        rows, found = [()] * len(items), terms.scores
    answers = [
        Answer(identity, shown, row, model.version)
        for identity, shown, row in zip(
            terms.identify(len(items)), _shown(model, found), rows, strict=True
        )
    ]
    milliseconds = (time.perf_counter() - started) * 1000
    if writer.is_kept():
        whole = [model.encoder.whole(item) for item in items]
        own = terms.references
        origins = own.of(origin) if own.texts else [origin] * len(items)
        writer.record(_rows(model, as_kept(model.name, whole), answers, origins, milliseconds))
    _count(model, answers)
    metrics.seconds(model.name).observe(time.perf_counter() - started)
    return answers


def _scored(model: ModelVersion, items: Sequence[Any], terms: Terms) -> tuple[list[Row], Scores]:
    if terms.in_array or terms.references.errors:
        rows = _encode_all(model, items, terms)
    else:
        rows = [encode(model, item) for item in items]
    try:
        return rows, score(model, rows)
    except Abstention as abstention:
        abstention.prefix = f"[{abstention.position}]." if terms.in_array else ""
        raise


def _shown(model: ModelVersion, found: Scores) -> list[Shown]:
    """The scores as they are sent; equal ones, such as the same cells of a table, are made once."""
    names = tuple(model.contract.flag_names)
    made = _made if len(names) <= _FEW_FLAGS else _made.__wrapped__
    # to the bit: -0.0 is not 0.0
    return [made(names, array("d", scores).tobytes()) for scores in found]


@lru_cache(maxsize=4096)  # about 1 kB each, of _FEW_FLAGS flags
def _made(names: tuple[str, ...], scores: bytes) -> Shown:
    return Shown.of(dict(zip(names, array("d", scores), strict=True)))


_FEW_FLAGS = 8


def score(model: ModelVersion, rows: Sequence[Row]) -> Scores:
    """Scores of ``rows``. Raises ScoringError, and counts the version's failure."""
    try:
        return model.score(rows)
    except Abstention:
        raise  # having no answer is not a failure
    except ScoringError:
        refusals.note(refusals.FAILED, model.name, value=model.version)
        raise


def _count(model: ModelVersion, answers: Sequence[Answer]) -> None:
    flags = Counter([answer.top_flag for answer in answers])
    for flag, count in flags.items():
        metrics.predictions(model.name, model.version, flag).inc(count)


def _encode_all(model: ModelVersion, items: Sequence[Any], terms: Terms) -> list[Row]:
    rows: list[Row] = []
    errors = [*terms.references.errors]
    for index, item in enumerate(items):
        try:
            rows.append(encode(model, item, MAX_GUESSES - len(errors)))
        except InvalidInput as invalid:
            place = f"[{index}]." if terms.in_array else ""
            errors += [replace(e, field=f"{place}{e.field}".rstrip(".")) for e in invalid.errors]
        if len(errors) >= MAX_ERRORS:
            break
    if errors:
        raise InvalidInput(errors[:MAX_ERRORS])
    return rows


def encode(model: ModelVersion, item: Any, guesses: int = MAX_GUESSES) -> Row:
    """The row of one item. Raises InvalidInput, and counts the errors."""
    try:
        return model.encoder.encode(item, guesses)
    except InvalidInput as invalid:
        refusals.note_fields(model.name, model.contract, item, invalid.errors)
        raise


def _rows(
    model: ModelVersion,
    items: Sequence[Any],
    answers: Sequence[Answer],
    origins: Sequence[Origin],
    milliseconds: float,
) -> list[writer.LogRow]:
    """The log's rows, in the order of writer.rows.COLUMNS."""
    return [
        (
            answer.id.hex,
            time_text(answer.id),
            model.name,
            model.version,
            model.sha256,
            json_text(item),
            shown.text,
            shown.top_flag,
            milliseconds,
            origin.source,
            origin.caller,
            origin.reference,
            origin.trace,
            len(items),
            shown.top_score,
            shown.step,
        )
        for item, answer, origin in zip(items, answers, origins, strict=True)
        for shown in (answer.shown,)
    ]
