"""Files that hold rows while the database is unavailable: one per process, flushed to disk.

A line is a CRC-32 and its JSON, an array in the order of rows.COLUMNS. A process locks (flock) the
file it writes for as long as it lives, so any process may replay a file without a lock.
"""

import fcntl
import logging
import os
import socket
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from errno import ENOSPC
from pathlib import Path
from typing import BinaryIO, NamedTuple
from uuid import UUID, uuid4

import orjson

from predictor.artifacts.durable import sync
from predictor.log.uuid7 import time_of
from predictor.log.writer.disk import log_disk
from predictor.log.writer.rows import COLUMNS, LogRow

logger = logging.getLogger(__name__)


_PROBE = 4096  # bytes
_PIECE = 2**20  # bytes
_OLDER = (12, 13, 14, 15)  # number of columns in rows of older releases; the rest are unknown


class Waiting(NamedTuple):
    """What waits in a spool, for all processes."""

    files: int
    size: int  # bytes
    oldest: datetime | None  # when the oldest row was answered
    refused: int  # files that a person must look at


class Spool:
    """The spool's folder, and the file in it that this process writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: BinaryIO | None = None

    def append(self, rows: Sequence[LogRow]) -> None:
        """Write ``rows`` and flush them to disk. Raises OSError; then none of them is recorded."""
        if log_disk(self.folder).is_full():
            raise OSError(ENOSPC, "the disk has too little room left", str(self.folder))
        file = self._file = self._in_place() or _create(self.folder, ".jsonl")
        end = file.tell()
        try:
            _write(file, rows)
        except OSError:
            self._rewind(file, end)
            raise

    def refuse(self, row: LogRow, reason: str) -> None:
        """Keep a row that the database refuses, for a person to look at. Raises OSError."""
        with _create(self.folder, ".refused") as file:
            _write(file, [row])
            file.write(f"{reason}\n".encode())

    def probe(self) -> None:
        """Write as much as a row takes, and remove it. Raises OSError if that fails."""
        with _create(self.folder, ".probe") as file:
            try:
                file.write(b" " * _PROBE)
                os.fsync(file.fileno())
            finally:
                Path(file.name).unlink()

    def seal(self) -> None:
        """Release this process's file: from now on any process may replay it. Raises OSError."""
        file = self._file = self._in_place()
        if file is not None:
            file.close()
            self._file = None

    def _in_place(self) -> BinaryIO | None:
        """This process's file; if the folder lost it, its rows are written again.

        The folder may have been removed, or another mounted over it. Raises OSError.
        """
        file = self._file
        if file is None or _is_at(Path(file.name), file):
            return file
        copy = _create(self.folder, ".jsonl")
        try:
            file.seek(0)
            while data := file.read(_PIECE):
                _write_all(copy, data)
            os.fsync(copy.fileno())
        except OSError:
            copy.close()
            Path(copy.name).unlink(missing_ok=True)
            raise
        file.close()
        logger.warning("%s was removed; what it held is in %s now", file.name, copy.name)
        return copy

    def _rewind(self, file: BinaryIO, end: int) -> None:
        """Cut off half a batch. If that fails, release the file: its checksum reveals the rest."""
        try:
            file.truncate(end)
            file.seek(end)
        except OSError:
            file.close()
            self._file = None

    def finish(self, path: Path, *, damaged: bool) -> None:
        """Remove a file whose rows are in the database; a damaged one is kept as refused.

        A file that cannot be removed does no harm: its rows are not stored twice.
        """
        try:
            if damaged:
                path.rename(path.with_suffix(".refused"))
            else:
                path.unlink()
        except OSError as error:
            logger.warning("%s is in the database and cannot be removed: %s", path, error)

    def waiting(self) -> "Waiting":
        """What waits in the folder now."""
        files = self.files()
        times = [when for path in files if (when := _first_time(path))]
        return Waiting(
            len(files),
            sum(_size(path) for path in files),
            min(times, default=None),
            len(list(self.folder.glob("*.refused"))),
        )

    def files(self) -> list[Path]:
        """All files that hold rows, including this process's, the oldest first."""
        return sorted(self.folder.glob("*.jsonl"))


def _create(folder: Path, suffix: str) -> BinaryIO:
    folder.mkdir(parents=True, exist_ok=True)
    # a random part, since process ids recur, in a container nearly always the same one
    path = folder / f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}{suffix}"
    file = open(path, "x+b", buffering=0)  # noqa: SIM115 - open for as long as the process writes
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    sync(folder)  # the file's name must survive a power cut too
    return file


def _write(file: BinaryIO, rows: Sequence[LogRow]) -> None:
    _write_all(file, b"".join(_line(row) for row in rows))
    os.fsync(file.fileno())


def _write_all(file: BinaryIO, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += file.write(data[written:])


def _is_at(path: Path, file: BinaryIO) -> bool:
    """Whether ``path`` is still the file's name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False


def _line(row: LogRow) -> bytes:
    text = orjson.dumps(row)
    return b"%08x %s\n" % (zlib.crc32(text), text)


@contextmanager
def claimed(path: Path) -> Iterator[BinaryIO | None]:
    """Lock the file at ``path`` for this process; None when another has it or it is gone.

    None also when it cannot be opened, so that one bad file does not hold up the others.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        logger.warning("%s cannot be read, so its rows wait: %s", path, error)
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        # another process may have replayed and removed it between open and lock
        yield file if _is_at(path, file) else None


def read(file: BinaryIO, damaged: list[int] | None = None) -> Iterator[LogRow]:
    """The rows of a file, except an incomplete last line: its request was never answered.

    The numbers of complete but unreadable lines go into ``damaged``.
    """
    for number, line in enumerate(file, 1):
        row = _parsed(line)
        if row is not None:
            yield row
        elif not line.endswith(b"\n"):
            logger.warning("%s: line %d was not written whole and is left out", file.name, number)
        else:
            logger.error("%s: line %d is damaged, or of another release", file.name, number)
            if damaged is not None:
                damaged.append(number)


def _first_time(path: Path) -> datetime | None:
    """When a file's first row, its oldest, was answered."""
    try:
        with open(path, "rb") as file:
            row = _parsed(file.readline())
    except OSError:  # just replayed, or without access
        return None
    return time_of(UUID(str(row[0]))) if row else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # just replayed
        return 0


def _parsed(line: bytes) -> LogRow | None:
    checksum, _, text = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
        return None
    row = tuple(orjson.loads(text))
    if len(row) in _OLDER:
        row += (None,) * (len(COLUMNS) - len(row))
    return row if len(row) == len(COLUMNS) else None
