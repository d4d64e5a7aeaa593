"""How far a file is scored: written after every batch, and read when a command resumes."""

import fcntl
import hashlib
import json
import os
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from predictor.api.bulk.errors import BulkError
from predictor.artifacts.durable import replace_file
from predictor.artifacts.version import ModelVersion
from predictor.log.uuid7 import uuid7

_HEAD = 2**20  # bytes at the beginning of a file that identify it


@dataclass
class Journal:
    """The progress on a file, and the ids of the next batch."""

    source: str  # fingerprint of the source file
    model: str
    version: str
    sha256: str
    reference: str
    first: str  # id of the next batch's first answer
    rows: int = 0  # of the source that are done
    scored: int = 0
    refused: int = 0
    written: int = 0  # bytes of the answers
    refused_written: int = 0  # bytes of the refused rows

    def save(self, path: Path) -> None:
        """Raises OSError."""
        replace_file(path, json.dumps(asdict(self)).encode())


def begin(source: Path, model: ModelVersion, reference: str) -> Journal:
    """A new journal, not written yet."""
    own = fingerprint(source), model.name, model.version, model.sha256, reference
    return Journal(*own, first=str(uuid7()))


def read(path: Path) -> Journal | None:
    """The journal at ``path``, or None. Raises BulkError for one that is damaged."""
    try:
        return Journal(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise BulkError(f"{path} is damaged; remove it to start over: {error}") from error


def fingerprint(source: Path) -> str:
    """A file's fingerprint, from its size and its first bytes."""
    with source.open("rb") as file:
        return f"{source.stat().st_size} {hashlib.sha256(file.read(_HEAD)).hexdigest()}"


def open_part(path: Path, end: int, closing: ExitStack) -> BinaryIO:
    """The file at ``path``, cut off at ``end`` and locked by this process. Raises BulkError."""
    file = closing.enter_context(path.open("ab", buffering=0))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BulkError(f"another process writes {path}") from None
    if path.stat().st_size < end:
        raise BulkError(f"{path} lacks what was written to it; remove its journal to start over")
    file.truncate(end)
    return file


def put(file: BinaryIO, piece: bytes) -> int:
    """Write ``piece`` and wait until it is on the disk; returns the number of bytes."""
    written = 0
    while written < len(piece):
        written += file.write(piece[written:])
    os.fsync(file.fileno())
    return written
