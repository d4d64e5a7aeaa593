"""The figures: how many crimes of a type one force recorded in a month, by outcome.

The models learn from nothing else: force, crime and month are the only features, so a count as a
weight teaches the same as that many single records.
"""

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TextIO, cast

from predictor.artifacts.durable import replace_file

COLUMNS = ["month", "force", "crime", "outcome", "count"]
MONTH = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")
_COUNT = re.compile(r"[0-9]{1,15}")  # more would not be exact as a weight


_GZIP = b"\x1f\x8b"


class Cell(NamedTuple):
    """The key of a count. ``month`` is ``YYYY-MM``; ``outcome`` is empty if not published."""

    month: str
    force: str
    crime: str
    outcome: str


Figures = Mapping[Cell, int]


class FiguresError(ValueError):
    """A file of figures cannot be used; the message is one sentence with place and reason."""


def read_figures(path: Path) -> dict[Cell, int]:
    """The figures in ``path`` (``.csv`` or ``.csv.gz``). Raises FiguresError."""
    figures: dict[Cell, int] = {}
    lines: dict[Cell, int] = {}
    try:
        with _open_text(path) as file:
            rows = csv.reader(file, strict=True)
            _check_header(path, next(rows, []))
            for row in rows:
                where = f"{path}, line {rows.line_num}"
                cell, count = _figure(row, where)
                if cell in figures:
                    named = " / ".join(cell)
                    raise FiguresError(
                        f"{where}: {named} is counted already in line {lines[cell]}; leave out one"
                    )
                figures[cell], lines[cell] = count, rows.line_num
    except UnicodeDecodeError as error:
        raise FiguresError(f"{path} cannot be read: it must be UTF-8 text ({error})") from error
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise FiguresError(f"{path} cannot be read: {error}") from error
    return {cell: count for cell, count in figures.items() if count}


def _check_header(path: Path, header: list[str]) -> None:
    """Require the header of ``training.aggregate``: another order could mean other columns."""
    if header != COLUMNS:
        found = f"not {','.join(header)[:100]!r}" if header else "but the file is empty"
        raise FiguresError(f"{path}: the header must be {','.join(COLUMNS)}, {found}")


def _figure(row: list[str], where: str) -> tuple[Cell, int]:
    if len(row) != len(COLUMNS):
        raise FiguresError(f"{where}: {len(row)} columns instead of {len(COLUMNS)}")
    if not _COUNT.fullmatch(row[-1]):
        raise FiguresError(f"{where}: {row[-1][:40]!r} is not a count of crimes such as 1234")
    cell = Cell(*row[:-1])
    if not MONTH.fullmatch(cell.month):
        raise FiguresError(f"{where}: {cell.month!r} is not a month such as 2025-01")
    if not cell.force or not cell.crime:
        raise FiguresError(f"{where}: the force or the type of crime is empty")
    return cell, int(row[-1])


def write_figures(path: Path, figures: Figures) -> None:
    """Write ``path`` in sorted order, complete or not at all; the same figures, the same bytes."""
    data = _as_csv(figures)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def digest(figures: Figures) -> str:
    """SHA-256 that identifies these figures: of their ``.csv``, compressed or not."""
    return hashlib.sha256(_as_csv(figures)).hexdigest()


def _as_csv(figures: Figures) -> bytes:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows((*cell, count) for cell, count in sorted(figures.items()))
    return text.getvalue().encode()


def _open_text(path: Path) -> TextIO:
    """The file opened as text; a spreadsheet may have added a byte order mark."""
    with open(path, "rb") as file:
        is_packed = file.read(2) == _GZIP
    if is_packed or path.suffix == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return open(path, encoding="utf-8-sig", newline="")
