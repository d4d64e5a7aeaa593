"""The files in which processes keep their counts: a failing disk costs figures, and no process.

prometheus_client maps its files into memory. Where the disk has no room for a page of the map, the
kernel ends the process that writes to it (SIGBUS): a full ``/tmp`` ended every worker. Here the
counts are in memory, and are written to the file, in prometheus_client's format. What cannot be
written is written a moment later.
"""

import logging
import os
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from errno import ENOSPC
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

logger = logging.getLogger(__name__)

PAUSE = 10.0  # seconds between two looks at the file, and between two attempts to write it again
_START = 8  # bytes before the first entry; the first four are the number of bytes in use
_LENGTH = struct.Struct("i")
_PAIR = struct.Struct("dd")  # value and time


class CountFile:
    """prometheus_client's MmapedDict without a map: named values in one file of one process."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        """Continue what is in the file, written by an earlier process with this process's id."""
        self._path = Path(filename)
        self._content = bytearray(_LENGTH.pack(_START).ljust(_START, b"\0"))
        self._positions: dict[str, int] = {}
        self._file: int | None = None  # None: the counts are in memory only
        self._look = 0.0  # time.monotonic() of the next look at the file
        self._is_lost = False  # reported, until the file is written again
        for key, value, timestamp in self._kept():
            self._add(key, value, timestamp)
        self._write_whole()

    def read_value(self, key: str) -> tuple[float, float]:
        """The value and its time; a new one is 0."""
        if key not in self._positions:
            start = self._add(key)
            self._write(start, len(self._content))
            self._write(0, _START)  # last, so that no reader finds half an entry
        value, timestamp = _PAIR.unpack_from(self._content, self._positions[key])
        return value, timestamp

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """Set a value and its time."""
        if key not in self._positions:
            self.read_value(key)
        position = self._positions[key]
        _PAIR.pack_into(self._content, position, value, timestamp)
        self._write(position, position + _PAIR.size)

    def close(self) -> None:
        """Close the file; the values stay in it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _kept(self) -> Iterator[tuple[str, float, float]]:
        with suppress(OSError, struct.error, RuntimeError, UnicodeDecodeError):
            # none there, or what a full disk left of it
            found = MmapedDict.read_all_values_from_file(self._path)  # type: ignore[no-untyped-call]
            for key, value, timestamp, _ in found:
                yield key, value, timestamp

    def _add(self, key: str, value: float = 0.0, timestamp: float = 0.0) -> int:
        """Append an entry; returns where it begins."""
        start, name = len(self._content), key.encode()
        padding = b" " * (8 - (len(name) + 4) % 8)  # prometheus_client's
        self._content += _LENGTH.pack(len(name)) + name + padding + _PAIR.pack(value, timestamp)
        _LENGTH.pack_into(self._content, 0, len(self._content))
        self._positions[key] = len(self._content) - _PAIR.size
        return start

    def _write(self, start: int, end: int) -> None:
        if time.monotonic() >= self._look:
            self._look = time.monotonic() + PAUSE
            if self._file is None or not os.fstat(self._file).st_nlink:  # it was removed
                self._write_whole()
                return
        if self._file is None:
            return
        try:
            _write_all(self._file, self._content[start:end], start)
        except OSError as error:
            self._lose(error)

    def _write_whole(self) -> None:
        """Write the whole file beside the old one, and put it in its place."""
        self._look = time.monotonic() + PAUSE
        self.close()
        beside = self._path.with_name(f"{self._path.name}.new")  # no reader takes it for a file
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside.unlink(missing_ok=True)
            self._file = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            _write_all(self._file, self._content, 0)
            beside.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            self._lose(error)
        else:
            self._is_lost = False

    def _lose(self, error: OSError) -> None:
        """Keep the counts in memory until the file can be written again; report that once."""
        self.close()
        if not self._is_lost:
            logger.warning(
                "the figures of process %d cannot be written to %s: %s; /metrics lacks its latest "
                "until that folder has room and can be written (PROMETHEUS_MULTIPROC_DIR)",
                os.getpid(), self._path.parent, error.strerror,
            )  # fmt: skip
        self._is_lost = True


def _write_all(file: int, data: bytes | bytearray, start: int) -> None:
    """Write ``data`` at ``start``. Raises OSError where the disk takes only a part."""
    if os.pwrite(file, data, start) < len(data):
        raise OSError(ENOSPC, os.strerror(ENOSPC))
