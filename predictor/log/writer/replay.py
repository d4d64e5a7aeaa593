"""Replay: writes the spool's rows to the database once it accepts rows again."""

import logging
import threading
import time
from collections.abc import Callable
from itertools import islice

from django.db import Error as DatabaseFailure

from predictor.log.writer.spool import Spool
from predictor.log.writer.spool_files import claimed, read
from predictor.log.writer.store import Store
from predictor.monitoring import metrics

logger = logging.getLogger(__name__)

_CHUNK = 500  # rows in one transaction
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds between attempts


def replay(spool: Spool, store: Store) -> int:
    """Write files that no living process holds to the database, remove them; returns the row count.

    Raises django.db.Error or OSError where it fails. Rows written by then stay written, and a row
    written twice is stored once.
    """
    total = 0
    for path in spool.files():
        with claimed(path) as file:
            if file is None:
                continue
            damaged: list[int] = []
            rows = read(file, damaged)
            count = 0
            while chunk := list(islice(rows, _CHUNK)):
                store.insert(chunk, spool.refuse)
                metrics.REPLAYED_ROWS.inc(len(chunk))
                count += len(chunk)
            spool.finish(path, damaged=bool(damaged))
        logger.info("%d predictions of %s are in the database now", count, path)
        total += count
    return total


class Replayer:
    """Replays the spool in the background until it is empty, then ends."""

    def __init__(self, connect: Callable[[], Store], spool: Spool, writing: threading.Lock) -> None:
        self.database_is_down = False
        self._connect = connect
        self._spool = spool
        self._writing = writing
        self._running = False

    def start(self, *, database_is_down: bool) -> None:
        """Start, unless it is already running. The caller holds the lock ``writing``."""
        self.database_is_down |= database_is_down
        if not self._running:
            self._running = True
            threading.Thread(target=self._run, name="replay the spool", daemon=True).start()

    def _run(self) -> None:
        ended = False
        try:
            self._until_finished(self._connect())
            ended = True
        finally:
            if not ended:  # after an unforeseen error, the next spooled row starts it again
                self._running = False

    def _until_finished(self, store: Store) -> None:
        pause = _FIRST_PAUSE
        while not self._finished(store):
            store.close()
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        store.close()

    def _finished(self, store: Store) -> bool:
        try:
            replay(self._spool, store)
            with self._writing:  # the database accepts rows again: the next ones go there
                self._spool.seal()
                self.database_is_down = False
            replay(self._spool, store)
        except (DatabaseFailure, OSError) as error:
            logger.warning("the spool in %s waits: %s", self._spool.folder, error)
            return False
        with self._writing:
            self._running = self.database_is_down
        return not self._running
