"""The figures: how many crimes of a type one force recorded in a month, by outcome.

They carry all that the models learn from: force, crime and month are the only features, so a
count as a weight teaches what that many single records would.
"""

import csv
import gzip
import io
import os
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TextIO, cast

COLUMNS = ["month", "force", "crime", "outcome", "count"]


class Cell(NamedTuple):
    """What is counted. ``month`` is ``YYYY-MM``; ``outcome`` is empty where none is published."""

    month: str
    force: str
    crime: str
    outcome: str


Figures = Mapping[Cell, int]


class FiguresError(ValueError):
    """A file of figures cannot be used; the message is one sentence that says where and why."""


def read_figures(path: Path) -> dict[Cell, int]:
    """The figures in ``path`` (``.csv`` or ``.csv.gz``). Raises FiguresError."""
    figures: dict[Cell, int] = {}
    try:
        with _open_text(path) as file:
            rows = csv.reader(file, strict=True)
            if next(rows, None) != COLUMNS:
                raise FiguresError(f"{path}: the header must be {','.join(COLUMNS)}")
            for row in rows:
                if len(row) != len(COLUMNS) or not row[-1].isdecimal():
                    raise FiguresError(f"{path}, line {rows.line_num}: not four texts and a count")
                cell = Cell(*row[:-1])
                if cell in figures:
                    raise FiguresError(f"{path}, line {rows.line_num}: these are counted already")
                figures[cell] = int(row[-1])
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        raise FiguresError(f"{path} cannot be read: {error}") from error
    return figures


def write_figures(path: Path, figures: Figures) -> None:
    """Write ``path`` in sorted order, complete or not at all; the same figures, the same bytes."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows((*cell, count) for cell, count in sorted(figures.items()))
    data = text.getvalue().encode()
    replace_file(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def replace_file(path: Path, data: bytes) -> None:
    """Make ``data`` the content of ``path``; a reader sees the old file or all of the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    draft = Path(name)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o644)  # mkstemp makes it private
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _open_text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8", newline=""))
    return open(path, encoding="utf-8", newline="")
