"""Files that hold rows while the database is unavailable: one per process, flushed to disk."""

import logging
import os
from collections.abc import Sequence
from datetime import datetime
from errno import ENOSPC
from pathlib import Path
from typing import BinaryIO, NamedTuple

from predictor.log.writer.disk import log_disk
from predictor.log.writer.rows import LogRow
from predictor.log.writer.spool_files import create, first_time, is_at, size_of, write, write_all

logger = logging.getLogger(__name__)

_PROBE = 4096  # bytes
_PIECE = 2**20  # bytes


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
        file = self._file = self._in_place() or create(self.folder, ".jsonl")
        end = file.tell()
        try:
            write(file, rows)
        except OSError:
            self._rewind(file, end)
            raise

    def refuse(self, row: LogRow, reason: str) -> None:
        """Keep a row that the database refuses, for a person to look at. Raises OSError."""
        with create(self.folder, ".refused") as file:
            write(file, [row])
            file.write(f"{reason}\n".encode())

    def probe(self) -> None:
        """Write as much as a row takes. Raises OSError if that fails.

        The file loses its name first: a process that is killed now leaves nothing behind.
        """
        with create(self.folder, ".probe") as file:
            Path(file.name).unlink()
            write_all(file, b" " * _PROBE)
            os.fsync(file.fileno())

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
        if file is None or is_at(Path(file.name), file):
            return file
        copy = create(self.folder, ".jsonl")
        try:
            file.seek(0)
            while data := file.read(_PIECE):
                write_all(copy, data)
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
        times = [when for path in files if (when := first_time(path))]
        return Waiting(
            len(files),
            sum(size_of(path) for path in files),
            min(times, default=None),
            len(list(self.folder.glob("*.refused"))),
        )

    def files(self) -> list[Path]:
        """All files that hold rows, including this process's, the oldest first."""
        return sorted(self.folder.glob("*.jsonl"))
