"""A file of the spool: rows as lines.

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
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

import orjson

from predictor.artifacts.durable import sync
from predictor.log.uuid7 import time_of
from predictor.log.writer.rows import COLUMNS, LogRow

logger = logging.getLogger(__name__)

_OLDER = (12, 13, 14, 15)  # number of columns in rows of older releases; the rest are unknown


def create(folder: Path, suffix: str) -> BinaryIO:
    """A new file of this process, locked and open for writing. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    # a random part, since process ids recur, in a container nearly always the same one
    path = folder / f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}{suffix}"
    file = open(path, "x+b", buffering=0)  # noqa: SIM115 - open for as long as the process writes
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    sync(folder)  # the file's name must survive a power cut too
    return file


def write(file: BinaryIO, rows: Sequence[LogRow]) -> None:
    """Write ``rows`` and flush them to disk. Raises OSError."""
    write_all(file, b"".join(_line(row) for row in rows))
    os.fsync(file.fileno())


def write_all(file: BinaryIO, data: bytes) -> None:
    """Write all of ``data``: an unbuffered file may take only a part at once."""
    written = 0
    while written < len(data):
        written += file.write(data[written:])


def is_at(path: Path, file: BinaryIO) -> bool:
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

    None also when it cannot be opened, so that one bad file does not delay the others.
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
        yield file if is_at(path, file) else None


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


def first_time(path: Path) -> datetime | None:
    """When a file's first row, its oldest, was answered."""
    try:
        with open(path, "rb") as file:
            row = _parsed(file.readline())
    except OSError:  # just replayed, or without access
        return None
    return time_of(UUID(str(row[0]))) if row else None


def size_of(path: Path) -> int:
    """Bytes; 0 when the file is gone."""
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
