"""A limit on how long one call of an estimator may take, and a way on when it takes longer.

A worker answers all its requests in one thread of the system, so a call that hangs there would
stop them all. Calls are therefore made in a second thread, one after the other. One that is
overdue is abandoned there (no thread can be stopped from outside), the next calls get a fresh
thread, and the worker is told, so that it can end in order and be replaced. A call that holds the
interpreter's lock without end is beyond this: gunicorn kills such a worker after ``timeout``.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import gevent
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

from predictor.artifacts.errors import ScoringTimeout
from predictor.concurrency import under_gevent

P = ParamSpec("P")
T = TypeVar("T")

SECONDS = 10.0  # for one call
_QUEUE = 1.5  # times as long for the wait until those before it are done: one of them may hang


class TimeLimit:
    """Calls in a thread of their own, one at a time, each within ``seconds``."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self.when_overdue: Callable[[], Any] = lambda: None
        self._turn = BoundedSemaphore(1)
        self._thread: ThreadPool | None = None

    def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What ``work`` returns or raises. Raises ScoringTimeout when it takes too long."""
        if not under_gevent():  # a development server, a command: nobody else waits
            return work(*args, **kwargs)
        patience = _QUEUE * self.seconds
        if not self._turn.acquire(timeout=patience):
            raise ScoringTimeout(patience)
        try:
            return self._in_thread(work, args, kwargs)
        finally:
            self._turn.release()

    def _in_thread(self, work: Callable[..., T], args: Any, kwargs: Any) -> T:
        if self._thread is None:
            self._thread = ThreadPool(1)
        result = self._thread.spawn(work, *args, **kwargs)
        try:
            answer: T = result.get(timeout=self.seconds)
        except gevent.Timeout:
            self._thread = None
            self.when_overdue()
            raise ScoringTimeout(self.seconds) from None
        return answer


time_limit = TimeLimit()
