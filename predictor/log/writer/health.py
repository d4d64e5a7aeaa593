"""Whether a row can be recorded now: a real attempt, remembered for a moment."""

import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from django.db import Error as DatabaseFailure

from predictor.concurrency import run_in_thread
from predictor.log.writer.spool import Spool
from predictor.log.writer.store import Store
from predictor.monitoring import metrics

logger = logging.getLogger(__name__)

_KEPT = 2.0  # seconds
_PATIENCE = 3.0  # seconds that a place has to answer; a Kubernetes probe waits five


class Condition(NamedTuple):
    """Which of the two places accepts rows."""

    database: bool
    spool: bool


class _Attempt(threading.Thread):
    """An attempt to write to a place; a place that hangs accepts no rows."""

    def __init__(self, probe: Callable[[], None]) -> None:
        super().__init__(name="probe", daemon=True)
        self._probe = probe
        self.succeeded = False
        self.problem = "no answer in time"

    def run(self) -> None:
        try:
            self._probe()
        except (DatabaseFailure, OSError) as error:
            self.problem = " ".join(str(error).split())
        else:
            self.succeeded = True


class Health:
    """Tests both places with a row that is removed again."""

    def __init__(self, connect: Callable[[], Store], spool: Spool) -> None:
        self._connect = connect
        self._spool = spool
        self._found = Condition(database=True, spool=True)
        self._until = 0.0
        self._trying = threading.Lock()
        self._attempts: dict[str, _Attempt] = {}

    def condition(self) -> Condition:
        """The condition, at most _KEPT seconds old. Logs a change."""
        with self._trying:
            if time.monotonic() >= self._until:
                self._begin("database", self._probe_database)
                self._begin("spool", self._probe_spool)
                deadline = time.monotonic() + _PATIENCE
                found = Condition(self._ended("database", deadline), self._ended("spool", deadline))
                if found != self._found:
                    logger.warning("a row can be recorded in: %s", self._described(found))
                self._found, self._until = found, time.monotonic() + _KEPT
            return self._found

    def _begin(self, place: str, probe: Callable[[], None]) -> None:
        """Try a place, unless the last attempt still hangs: each may block a worker thread."""
        if place not in self._attempts or not self._attempts[place].is_alive():
            self._attempts[place] = _Attempt(probe)
            self._attempts[place].start()

    def _ended(self, place: str, deadline: float) -> bool:
        attempt = self._attempts[place]
        attempt.join(max(0, deadline - time.monotonic()))
        return attempt.succeeded and not attempt.is_alive()

    def _probe_database(self) -> None:
        store = self._connect()
        try:
            store.probe()
        finally:
            store.close()
        metrics.DATABASE_REACHED.set_to_current_time()

    def _probe_spool(self) -> None:
        run_in_thread(self._spool.probe)

    def _described(self, found: Condition) -> str:
        """The places that accept rows, and why the others do not."""
        takes = [name for name, accepts in found._asdict().items() if accepts]
        others = [f"{name} ({self._attempts[name].problem})"
                  for name, accepts in found._asdict().items() if not accepts]  # fmt: skip
        without = f"; not in: {', '.join(others)}" if others else ""
        return (", ".join(takes) or "no place") + without
