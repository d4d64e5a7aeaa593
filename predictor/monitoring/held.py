"""Counts that a worker holds in memory, and writes to the files of all workers a moment later.

A count written at once costs a request as much as its scores do. What reads the figures waits
until all workers have written theirs (``settle``); a process that is killed (SIGKILL) takes with it
what it counted in its last moment. Where nothing calls ``hold``, every count is written at once.
"""

import os
import time
from typing import Any

from prometheus_client import values

SECONDS = 0.1  # between two writes


class HeldValue(values.ValueClass):  # type: ignore[misc] # prometheus_client chooses it
    """A value of prometheus_client's; what is added while counts are held waits for ``write``.

    CPython lets another thread go on at a call or a jump back, and ``+=`` on a float has neither,
    so no lock is needed.
    """

    _all: "list[HeldValue]" = []
    are_held = False  # in this process

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting = 0.0
        self._all.append(self)

    def inc(self, amount: float) -> None:
        """Add ``amount``."""
        if self.are_held:
            self.waiting += amount
        else:
            super().inc(amount)

    def set(self, value: float, timestamp: float | None = None) -> None:
        """Have this ``value``, whatever waits."""
        self.waiting = 0.0
        super().set(value, timestamp)

    def get(self) -> float:
        """The value, with what waits."""
        return float(super().get()) + self.waiting

    @classmethod
    def write(cls) -> None:
        """Write what waits."""
        for value in cls._all:
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
    """Return when each worker that is not kept from it has written what it counted before."""
    HeldValue.write()
    if HeldValue.are_held:
        time.sleep(2 * SECONDS)


def release() -> None:
    """Write what is held, and from now on each count at once: the process ends."""
    HeldValue.are_held = False
    HeldValue.write()


# a child is not to write again what its parent counted
os.register_at_fork(before=HeldValue.write)
