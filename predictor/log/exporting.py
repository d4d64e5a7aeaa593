"""The log as a file: CSV, JSON Lines or XLSX, streamed, so a million rows need no memory."""

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
from django.db.models import QuerySet

from predictor.artifacts.texts import cell_of
from predictor.log import history
from predictor.models import Note, Prediction
from predictor.spreadsheets.cells import Cells, csv_lines
from predictor.spreadsheets.xlsx import workbook

_FIELDS = (
    "time", "model", "version", "sha256", "source", "caller", "reference", "duration", "top_flag",
    "inputs", "scores",
)  # fmt: skip
_LATER = ("outcome", "notes")  # came after the answer, so they follow it in a file too


def json_lines(rows: QuerySet[Prediction]) -> Iterator[bytes]:
    """An object per line, with inputs and scores unchanged."""
    for chunk in _chunks(rows):
        yield b"".join(
            _json_line({"id": str(identity), **dict(zip((*_FIELDS, *_LATER), values, strict=True))})
            for identity, *values in chunk
        )


def _json_line(row: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z, default=str)
    except TypeError:  # an integer of more than 64 bits, recorded by an older release
        row = row | {"time": row["time"].isoformat().replace("+00:00", "Z")}
        return json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n"


def csv_file(rows: QuerySet[Prediction]) -> Iterator[bytes]:
    """A column per input and per flag; texts are escaped, so that none is read as a formula."""
    table = _Table(rows)
    yield csv_lines([table.header])
    for chunk in _chunks(rows):
        yield csv_lines(table.cells(row) for row in chunk)


def xlsx(rows: QuerySet[Prediction]) -> Iterator[bytes]:
    """An Excel workbook. Text cells stay text, even if they look like a formula."""
    table = _Table(rows)
    return workbook(table.header, (table.cells(row) for chunk in _chunks(rows) for row in chunk))


class _Table:
    """The rows as a table: a column for every input and flag that its versions have."""

    def __init__(self, rows: QuerySet[Prediction]) -> None:
        inputs: dict[str, None] = {}
        scores: dict[str, None] = {}
        for model, version in history.versions():
            of_version = rows.filter(model=model, version=version)
            # the settings may omit a field from the newest or the oldest rows
            for row in of_version.order_by("-id").first(), of_version.order_by("id").first():
                if row is not None:
                    inputs |= dict.fromkeys(row.inputs)
                    scores |= dict.fromkeys(row.scores)
        self._inputs, self._scores = list(inputs), list(scores)
        named = [f"inputs.{name}" for name in inputs] + [f"scores.{name}" for name in scores]
        self.header: Cells = ["id", *_FIELDS[:-2], *named, *_LATER]

    def cells(self, row: tuple[Any, ...]) -> Cells:
        identity, when, *plain, inputs, scores, outcome, notes = row
        return [
            str(identity), when.isoformat(), *plain,
            *[cell_of(inputs.get(name, "")) for name in self._inputs],
            *[scores.get(name, "") for name in self._scores],
            outcome or "", notes,
        ]  # fmt: skip


def _chunks(rows: QuerySet[Prediction]) -> Iterator[list[tuple[Any, ...]]]:
    for chunk in history.read_all(rows, *_FIELDS, "outcome__flag"):
        notes: dict[UUID, list[str]] = {}
        for note in Note.objects.filter(prediction__in=[row[0] for row in chunk]):
            notes.setdefault(note.prediction_id, []).append(note.text)
        yield [(*row, "; ".join(notes.get(row[0], []))) for row in chunk]
        time.sleep(0)  # lets other requests run under gevent
