"""The processes that the supervisor starts, and when it may start one again."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .clock import Clock
from .orders import Order

_FORGIVEN = 1.0  # seconds of work that make up for one failure
_LONGEST = 30.0  # seconds between two attempts
_STARTING = 60.0  # seconds that a busy machine may take to fork, in addition to loading


@dataclass
class Attempts:
    """When to retry after a failure: at once, then after 0.2 s, 0.4 s and so on.

    Work between two failures resets the delay: a caller whose rows end a scorer now and then must
    not block it for all others.
    """

    failures: int = 0
    not_before: float = 0.0  # time.monotonic()

    def fail(self, worked: float) -> None:
        """Count a failure after ``worked`` seconds of work."""
        self.failures = max(0, self.failures - int(worked / _FORGIVEN)) + 1
        wait = 0.0 if self.failures == 1 else min(_LONGEST, 0.1 * 2 ** (self.failures - 1))
        self.not_before = time.monotonic() + wait


@dataclass
class ServedVersion:
    """A version to serve, whether a scorer runs for it or not."""

    order: Order
    path: Path
    door: socket.socket
    attempts: Attempts = field(default_factory=Attempts)


@dataclass(eq=False)
class Child:
    """A fork of the template, as the supervisor sees it."""

    order: Order
    pulse: socket.socket  # ends when the child ends
    clock: Clock
    ended: Callable[[int | None, float], None]  # gets exit status and seconds of work
    slowest: float  # seconds between two signs of life
    started: float = field(default_factory=time.monotonic)
    alive: float = 0.0  # time.monotonic() of the first look after a sign of life
    pid: int = 0

    def worked(self) -> float:
        """Seconds since its first sign of life, with the version loaded."""
        return time.monotonic() - self.alive if self.alive else 0.0

    def is_overdue(self) -> bool:
        now, last = time.monotonic(), self.clock.last()
        if last and not self.alive:
            self.alive = now
        if last == 0:
            return now - self.started > float(self.order.terms["patience"]) + _STARTING
        return not 0 <= now - last <= self.slowest  # below 0: it wrote a false time
