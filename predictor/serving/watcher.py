"""A thread that polls the database, and survives its outages."""

import logging
import threading
import time
from collections.abc import Callable

from django import db

logger = logging.getLogger(__name__)


class Watcher(threading.Thread):
    """Calls ``look`` every ``seconds``, on its own database connection.

    Only an unforeseen error or the end of the process ends it; then it calls ``ended``.
    """

    def __init__(self, look: Callable[[], None], seconds: float, ended: Callable[[], None]) -> None:
        super().__init__(name="watcher", daemon=True)
        self._look = look
        self._seconds = seconds
        self._ended = ended
        self._sees = True

    def run(self) -> None:
        try:
            self._watch()
        finally:
            self._ended()

    def _watch(self) -> None:
        while True:
            time.sleep(self._seconds)
            if not self._sees:
                db.connections.close_all()  # reopen connections that an outage broke
            try:
                self._look()
            except db.Error as error:
                self._report(sees=False, message=f"activations cannot be looked up: {error}")
            else:
                self._report(sees=True, message="activations can be looked up again")

    def _report(self, *, sees: bool, message: str) -> None:
        """Log a change once, not every second."""
        if sees != self._sees:
            logger.warning(message.strip())
        self._sees = sees
