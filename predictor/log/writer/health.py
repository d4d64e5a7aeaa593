"""Whether a row can be recorded now: tried for real, and remembered for a moment."""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from django.db import Error as DatabaseFailure

from predictor.concurrency import run_in_thread, with_timeout
from predictor.log.writer.spool import Spool
from predictor.log.writer.store import Store
from predictor.monitoring import metrics

logger = logging.getLogger(__name__)

_KEPT = 2.0  # seconds


class Condition(NamedTuple):
    """Which of the two places takes rows."""

    database: bool
    spool: bool


class Health:
    """Tries both places with a row that is taken back."""

    def __init__(self, connect: Callable[[], Store], spool: Spool) -> None:
        self._connect = connect
        self._spool = spool
        self._found = Condition(database=True, spool=True)
        self._until = 0.0

    def condition(self) -> Condition:
        """What was found, at most _KEPT seconds ago. A change is logged."""
        if time.monotonic() >= self._until:
            found = Condition(self._database_takes_rows(), self._spool_takes_rows())
            if found != self._found:
                logger.warning("a row can be recorded in: %s", _places(found))
            self._found, self._until = found, time.monotonic() + _KEPT
        return self._found

    def _database_takes_rows(self) -> bool:
        store = self._connect()
        try:
            with_timeout(store.probe)
        except (DatabaseFailure, OSError) as error:
            logger.debug("the database takes no row: %s", error)
            return False
        finally:
            store.close()
        metrics.DATABASE_REACHED.set_to_current_time()
        return True

    def _spool_takes_rows(self) -> bool:
        try:
            run_in_thread(self._spool.probe)
        except OSError as error:
            logger.debug("the spool takes no row: %s", error)
            return False
        return True


def _places(found: Condition) -> str:
    return ", ".join(name for name, takes in found._asdict().items() if takes) or "no place"
