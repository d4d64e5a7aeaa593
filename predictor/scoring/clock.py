"""A time shared by two processes: when a scorer last gave a sign of life."""

import mmap
import struct
import time


class Clock:
    """Eight bytes of a file that both processes map into memory."""

    def __init__(self, file: int) -> None:
        """``file`` is a descriptor of mmap.PAGESIZE bytes."""
        self._memory = mmap.mmap(file, mmap.PAGESIZE)

    def wind(self) -> None:
        """Record a sign of life now."""
        struct.pack_into("d", self._memory, 0, time.monotonic())

    def last(self) -> float:
        """The last sign of life, in seconds of time.monotonic; 0 before the first."""
        last: float = struct.unpack_from("d", self._memory)[0]
        return last
