"""Counts that a worker holds in memory and writes to the shared files a moment later.

Writing a count at once costs a request as much time as its scores. A reader of the figures waits
until all workers have written theirs (``settle``). A process killed with SIGKILL loses the counts
of its last moment. Unless a process calls ``hold``, it writes every count at once.
"""

import os
import time
from typing import Any

from prometheus_client import values

SECONDS = 0.1  # between two writes


class HeldValue(values.ValueClass):  # type: ignore[misc] # prometheus_client chooses it
    """A prometheus_client value; while counts are held, changes wait for ``write``.

    CPython switches threads only at a call or a backward jump, and ``+=`` on a float has neither,
    so it needs no lock.
    """

    _all: "list[HeldValue]" = []
    are_held = False  # whether this process holds counts

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting = 0.0
        self.newest: float | None = None  # what was set, and waits
        self._all.append(self)

    def inc(self, amount: float) -> None:
        """Add ``amount``."""
        if self.are_held:
            self.waiting += amount
        else:
            super().inc(amount)

    def set(self, value: float, timestamp: float | None = None) -> None:
        """Set this ``value``, and discard additions that wait."""
        self.waiting = 0.0
        if self.are_held and timestamp is None:
            self.newest = value
        else:
            self.newest = None
            super().set(value, timestamp)

    def get(self) -> float:
        """The value, including changes that wait."""
        written = super().get() if self.newest is None else self.newest
        return float(written) + self.waiting

    @classmethod
    def write(cls) -> None:
        """Write the changes that wait."""
        for value in cls._all:
            newest, value.newest = value.newest, None
            if newest is not None:
                super(HeldValue, value).set(newest)
            if value.waiting:
                waiting, value.waiting = value.waiting, 0.0
                super(HeldValue, value).inc(waiting)


def hold() -> None:
    """Hold counts, and write them every SECONDS, until ``release``."""
    HeldValue.are_held = True
    while HeldValue.are_held:
        time.sleep(SECONDS)
        HeldValue.write()


def settle() -> None:
    """Wait until each worker, unless it is blocked, has written its earlier counts."""
    HeldValue.write()
    if HeldValue.are_held:
        time.sleep(2 * SECONDS)


def release() -> None:
    """Write held counts, and from now on write each at once, because the process ends."""
    HeldValue.are_held = False
    HeldValue.write()


# a child must not write its parent's counts again
os.register_at_fork(before=HeldValue.write)
