"""The street-level files of data.police.uk: found in folders and archives, counted row by row."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from .figures import Cell
from .outcomes import UnknownOutcome, group_of

HEADER = [
    "Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location",
    "LSOA code", "LSOA name", "Crime type", "Last outcome category", "Context",
]  # fmt: skip
_MONTH = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])")
STREET_FILE = re.compile(r"(?P<month>\d{4}-\d{2})-.+-street\.csv")
_BUFFER = 1 << 20


class StreetFileError(ValueError):
    """A street-level file cannot be counted; the message names the file, the line and why."""


@dataclass(frozen=True)
class StreetFile:
    """One month of one force, wherever it lies."""

    path: str  # where it lies, for people
    size: int  # bytes when unpacked
    open: Callable[[], IO[bytes]]

    @property
    def name(self) -> str:
        """The file's own name: the same month of the same force has the same name everywhere."""
        return self.path.rpartition("/")[2]

    def count(self, advance: Callable[[int], Any]) -> dict[Cell, int]:
        """Its crimes by month, force, type and outcome; ``advance`` is told of all bytes read.

        Raises StreetFileError when the file is broken or has an outcome nobody has heard of.
        """
        try:
            with self.open() as stream:
                metered = io.BufferedReader(_Metered(stream, advance), _BUFFER)
                text = io.TextIOWrapper(metered, encoding="utf-8-sig", newline="")
                return self._count(csv.reader(text, strict=True))
        except UnicodeDecodeError as error:
            raise self._error(self._undecodable_line(), "not UTF-8 text") from error
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise StreetFileError(f"{self.path} cannot be read: {error}") from error

    def _count(self, rows: Any) -> dict[Cell, int]:
        counts: dict[Any, int] = {}
        try:
            if next(rows, None) != HEADER:
                raise self._error(1, f"the header is not {','.join(HEADER)}")
            for row in rows:
                try:
                    _, month, force, _, _, _, _, _, _, crime, outcome, _ = row
                except ValueError:
                    problem = f"{len(row)} columns instead of {len(HEADER)}; was it cut off?"
                    raise self._error(rows.line_num, problem) from None
                cell = (month, force, crime, outcome)  # Cell(…) here would cost a tenth of the time
                if cell not in counts:
                    self._check(Cell(*cell), rows.line_num)
                    counts[cell] = 0
                counts[cell] += 1
        except csv.Error as error:
            raise self._error(rows.line_num, str(error)) from error
        return {Cell(*cell): count for cell, count in counts.items()}

    def _check(self, cell: Cell, line: int) -> None:
        if not _MONTH.fullmatch(cell.month):
            raise self._error(line, f"{cell.month!r} is not a month such as 2025-01")
        named = STREET_FILE.fullmatch(self.name)
        if named and named["month"] != cell.month:
            raise self._error(line, f"a crime of {cell.month} in a file of {named['month']}")
        if not cell.force.strip() or not cell.crime.strip():
            raise self._error(line, "the force or the type of crime is empty")
        try:
            group_of(cell.outcome)
        except UnknownOutcome as error:
            raise self._error(line, str(error)) from error

    def _undecodable_line(self) -> int:
        with self.open() as stream:
            for number, line in enumerate(stream, 1):
                try:
                    line.decode()
                except UnicodeDecodeError:
                    return number
        return number

    def _error(self, line: int, problem: str) -> StreetFileError:
        return StreetFileError(f"{self.path}, line {line}: {problem}")


class _Metered(io.RawIOBase):
    """A stream that tells how much of it has been read."""

    def __init__(self, stream: IO[bytes], advance: Callable[[int], Any]) -> None:
        self._stream = stream
        self._advance = advance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._advance(len(data))
        return len(data)


@contextmanager
def street_files(paths: Iterable[Path]) -> Iterator[list[StreetFile]]:
    """All street-level files in ``paths``: folders (searched in depth), archives, single files.

    Raises StreetFileError when a path holds none, or two of them hold the same month and force.
    """
    with ExitStack() as archives:
        files: dict[str, StreetFile] = {}
        for path in paths:
            found = list(_found(path, archives))
            if not found:
                raise StreetFileError(f"{path} holds no file named YYYY-MM-<force>-street.csv")
            for file in found:
                twin = files.setdefault(file.name, file)
                if twin is not file:
                    raise StreetFileError(
                        f"{twin.path} and {file.path} are the same; leave out one"
                    )
        yield list(files.values())


def _found(path: Path, archives: ExitStack) -> Iterator[StreetFile]:
    if path.is_dir():
        for inner in sorted(path.rglob("*-street.csv")):
            if STREET_FILE.fullmatch(inner.name):
                yield _on_disk(inner)
    elif path.suffix == ".zip":
        yield from _in_archive(path, archives)
    elif path.is_file():
        yield _on_disk(path)
    else:
        raise StreetFileError(f"there is no file or folder {path}")


def _on_disk(path: Path) -> StreetFile:
    return StreetFile(path.as_posix(), path.stat().st_size, lambda: open(path, "rb"))


def _in_archive(path: Path, archives: ExitStack) -> Iterator[StreetFile]:
    try:
        archive = archives.enter_context(zipfile.ZipFile(path))
    except (OSError, zipfile.BadZipFile) as error:
        raise StreetFileError(f"{path} cannot be read as a zip archive: {error}") from error
    for member in sorted(archive.infolist(), key=lambda member: member.filename):
        if STREET_FILE.fullmatch(member.filename.rpartition("/")[2]):
            yield StreetFile(
                f"{path.as_posix()}/{member.filename}",
                member.file_size,
                partial(archive.open, member),
            )
