"""The street-level files of data.police.uk: found in folders and archives, counted row by row."""

import csv
import io
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, NoReturn

from .figures import MONTH, Cell
from .outcome_groups import UnknownOutcome, group_of

HEADER = [
    "Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location",
    "LSOA code", "LSOA name", "Crime type", "Last outcome category", "Context",
]  # fmt: skip
STREET_FILE = re.compile(r"(?P<month>[0-9]{4}-[0-9]{2})-.+-street\.csv")
_NEARLY = re.compile(r"(-street.*\.csv|\.csv\.gz|\.zip)$", re.IGNORECASE)
_BUFFER = 1 << 20


class StreetFileError(ValueError):
    """A street-level file cannot be counted; the message names the file, the line and why."""


@dataclass(frozen=True)
class StreetFile:
    """One month of one force, in a folder or an archive."""

    path: str  # for people
    size: int  # bytes when unpacked
    open: Callable[[], IO[bytes]]

    @property
    def name(self) -> str:
        """The file's name, the same everywhere for one month of one force."""
        return _own_name(self.path)

    def count(self, advance: Callable[[int], Any]) -> dict[Cell, int]:
        """Its crimes by month, force, type and outcome; ``advance`` gets the bytes of each read.

        Raises StreetFileError when the file is broken or has an unknown outcome.
        """
        try:
            with self.open() as stream:
                return self._count(_records(stream, advance))
        except (UnicodeDecodeError, _NulError) as error:
            raise self._error(self._line_of_no_text(), "not UTF-8 text") from error
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
            raise StreetFileError(f"{self.path} cannot be read: {error}") from error

    def _count(self, rows: Any) -> dict[Cell, int]:
        counts: dict[Any, int] = {}
        try:
            self._check_header(next(rows, None))
            for row in rows:
                try:
                    _, month, force, _, _, _, _, _, _, crime, outcome, _ = row
                except ValueError:
                    problem = f"{len(row)} columns instead of {len(HEADER)}; was it cut off?"
                    raise self._error(rows.line_num, problem) from None
                cell = (month, force, crime, outcome)  # a Cell here would cost a tenth of the time
                if cell not in counts:
                    self._check(Cell(*cell), rows.line_num)
                    counts[cell] = 0
                counts[cell] += 1
        except csv.Error as error:
            raise self._error(self._line_of_broken_record(), f"not CSV ({error})") from error
        return {Cell(*cell): count for cell, count in counts.items()}

    def _check_header(self, row: list[str] | None) -> None:
        if row is None:
            raise self._error(1, "the file is empty")
        if len(row) != len(HEADER):
            raise self._error(1, f"the header has {len(row)} columns instead of {len(HEADER)}")
        for number, (found, expected) in enumerate(zip(row, HEADER, strict=True), 1):
            if found != expected:
                problem = f"column {number} of the header is {found!r} instead of {expected!r}"
                raise self._error(1, problem)

    def _check(self, cell: Cell, line: int) -> None:
        if not MONTH.fullmatch(cell.month):
            raise self._error(line, f"{cell.month!r} is not a month such as 2025-01")
        named = STREET_FILE.fullmatch(self.name)
        if named and named["month"] != cell.month:
            raise self._error(line, f"a crime of {cell.month} in a file of {named['month']}")
        if not cell.force.strip() or not cell.crime.strip():
            raise self._error(line, "the force or the type of crime is empty")
        if not (cell.force + cell.crime).isprintable():
            raise self._error(line, f"no force or type of crime: {cell.force!r}, {cell.crime!r}")
        try:
            group_of(cell.outcome)
        except UnknownOutcome as error:
            raise self._error(line, str(error)) from error

    def _line_of_no_text(self) -> int:
        with self.open() as stream:
            for number, line in enumerate(stream, 1):
                try:
                    line.decode()
                except UnicodeDecodeError:
                    return number
                if b"\0" in line:
                    return number
        return number

    def _line_of_broken_record(self) -> int:
        """The line where it begins: after an unclosed quote, the line of its end means nothing."""
        line = 0
        with self.open() as stream:
            rows = _records(stream, int)
            try:
                for _ in rows:
                    line = rows.line_num
            except csv.Error:
                pass
        return line + 1

    def _error(self, line: int, problem: str) -> StreetFileError:
        return StreetFileError(f"{self.path}, line {line}: {problem}")


class _NulError(ValueError):
    """A file holds a zero byte, which csv would read as a letter."""


class _Metered(io.RawIOBase):
    """A stream that reports how much of it has been read."""

    def __init__(self, stream: IO[bytes], advance: Callable[[int], Any]) -> None:
        self._stream = stream
        self._advance = advance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        if b"\0" in data:
            raise _NulError
        buffer[: len(data)] = data
        self._advance(len(data))
        return len(data)


def _records(stream: IO[bytes], advance: Callable[[int], Any]) -> Any:
    """The records of a CSV file; csv has no public name for this type."""
    metered = io.BufferedReader(_Metered(stream, advance), _BUFFER)
    text = io.TextIOWrapper(metered, encoding="utf-8-sig", newline="")
    return csv.reader(text, strict=True)


def _own_name(path: str) -> str:
    """The last part of a path; archives packed on Windows may have backslashes."""
    return re.split(r"[/\\]", path)[-1]


@contextmanager
def street_files(paths: Iterable[Path]) -> Iterator[list[StreetFile]]:
    """All street-level files in ``paths``: folders (and their sub-folders), archives, single files.

    Raises StreetFileError when a path has none, or two paths have the same month and force.
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


def passed_over(paths: Iterable[Path]) -> list[str]:
    """Files in ``paths`` that look like street-level files but have a wrong name: not counted."""
    found: list[str] = []
    for path in paths:
        if path.is_dir():
            found += [each.as_posix() for each in _files_below(path) if _is_nearly(each.name)]
        elif path.suffix.lower() == ".zip":
            with ExitStack() as archives:
                names = _archive(path, archives).namelist()
            found += [f"{path.as_posix()}/{name}" for name in names if _is_nearly(_own_name(name))]
    return found


def _is_nearly(name: str) -> bool:
    return bool(_NEARLY.search(name)) and not STREET_FILE.fullmatch(name)


def _found(path: Path, archives: ExitStack) -> Iterator[StreetFile]:
    if path.is_dir():
        for inner in _files_below(path):
            if STREET_FILE.fullmatch(inner.name):
                yield _on_disk(inner)
    elif path.suffix.lower() == ".zip":
        yield from _in_archive(path, archives)
    elif path.is_file():
        yield _on_disk(path)
    else:
        raise StreetFileError(f"there is no file or folder {path}")


def _files_below(folder: Path) -> Iterator[Path]:
    """Files in sorted order, following links; skips folders with a leading dot: half-written.

    Path.rglob would skip a folder without read permission, and the count would be too low.
    """
    for place, folders, names in os.walk(folder, onerror=_unreadable, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(names))


def _unreadable(error: OSError) -> NoReturn:
    raise StreetFileError(f"{error.filename} cannot be read: {error.strerror}") from error


def _on_disk(path: Path) -> StreetFile:
    try:
        size = path.stat().st_size
    except OSError as error:  # such as a broken link
        _unreadable(error)
    return StreetFile(path.as_posix(), size, lambda: open(path, "rb"))


def _archive(path: Path, archives: ExitStack) -> zipfile.ZipFile:
    try:
        return archives.enter_context(zipfile.ZipFile(path))
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise StreetFileError(f"{path} cannot be read as a zip archive: {error}") from error


def _in_archive(path: Path, archives: ExitStack) -> Iterator[StreetFile]:
    archive = _archive(path, archives)
    for member in sorted(archive.infolist(), key=lambda member: member.filename):
        if STREET_FILE.fullmatch(_own_name(member.filename)):
            yield StreetFile(
                f"{path.as_posix()}/{member.filename}",
                member.file_size,
                partial(open_member, archive, member),
            )


def open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    """One file of an archive; raises BadZipFile when it cannot be unpacked."""
    try:
        return archive.open(member)
    except RuntimeError as error:  # it has a password, or an unknown compression
        raise zipfile.BadZipFile(str(error)) from error
