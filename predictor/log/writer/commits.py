"""Group commit: requests that wait at the same moment share one transaction.

The first request opens a batch and leads it. Requests that come before it is this process's turn
to write join the batch and wait for one event. No request waits for others to come: a single
request commits at once.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from django.db import Error as DatabaseFailure

from predictor.concurrency import let_others_run, run_in_thread, system_lock, with_timeout
from predictor.log.writer.replay import Replayer, replay
from predictor.log.writer.rows import LogRow
from predictor.log.writer.spool import Spool
from predictor.log.writer.store import Store
from predictor.monitoring import metrics

logger = logging.getLogger(__name__)

_BATCH = 5_000  # rows; a batch of this size accepts no more


class NotRecordedError(Exception):
    """Neither the database nor the spool accepted the rows."""


class _Batch:
    """Rows that are committed together, and the event that announces it."""

    __slots__ = ("closed", "recorded", "rows", "settled")

    def __init__(self) -> None:
        self.rows: list[LogRow] = []
        self.closed = False  # no further request may join
        self.settled = threading.Event()
        self.recorded = False


class LogWriter:
    """Records rows: in the database, or in the spool while the database is unavailable."""

    def __init__(self, connect: Callable[[], Store], spool: Spool) -> None:
        self._connect = connect
        self._store = connect()
        self._spool = spool
        self._gathering = _Batch()
        self._gathering.closed = True
        self._joining = system_lock()
        self._writing = threading.Lock()
        self._replayer = Replayer(connect, spool, self._writing)
        if run_in_thread(spool.files):
            self._replayer.start(database_is_down=False)

    def record(self, rows: Sequence[LogRow]) -> None:
        """Return once ``rows`` are recorded. Raises NotRecordedError if they cannot be."""
        with self._joining:
            batch = self._gathering
            leads = batch.closed or len(batch.rows) >= _BATCH
            if leads:
                batch = self._gathering = _Batch()
            batch.rows.extend(rows)
        if leads:
            self._lead(batch)
        else:
            batch.settled.wait()
        if not batch.recorded:
            raise NotRecordedError

    def close(self) -> None:
        """Write the rest of the spool to the database, if that accepts it."""
        with self._writing:
            try:
                self._spool.seal()
                replay(self._spool, self._store)
            except (DatabaseFailure, OSError) as error:
                logger.warning("rows stay in %s: %s", self._spool.folder, error)
            self._store.close()

    def _lead(self, batch: _Batch) -> None:
        try:
            let_others_run()
            with self._writing:  # this batch grows while the previous one is written
                metrics.QUEUE_ROWS.set(len(batch.rows))
                batch.recorded = self._inserted(batch) or self._spooled(self._close(batch))
                metrics.BATCH_ROWS.observe(len(batch.rows))
        finally:
            self._close(batch)
            metrics.QUEUE_ROWS.set(0 if self._gathering.closed else len(self._gathering.rows))
            batch.settled.set()

    def _close(self, batch: _Batch) -> Sequence[LogRow]:
        """Close ``batch`` and return its rows; called by the thread that writes."""
        with self._joining:
            batch.closed = True
        return batch.rows

    def _inserted(self, batch: _Batch) -> bool:
        if self._replayer.database_is_down:
            self._replayer.start(database_is_down=True)
            return False
        try:
            with_timeout(self._store.insert_in_turn, lambda: self._close(batch), self._spool.refuse)
        except (DatabaseFailure, OSError) as error:
            logger.warning("the prediction log's rows go to the spool in %s now: %s",
                           self._spool.folder, error)  # fmt: skip
            # its connection may be broken, or blocked by a call that never ends
            self._store = self._connect()
            self._replayer.start(database_is_down=True)
            return False
        metrics.DATABASE_REACHED.set_to_current_time()
        return True

    def _spooled(self, rows: Sequence[LogRow]) -> bool:
        try:
            run_in_thread(self._spool.append, rows)
        except OSError as error:
            logger.error("the spool in %s cannot be written either: %s", self._spool.folder, error)  # noqa: TRY400 - one sentence
            metrics.UNRECORDED_ROWS.inc(len(rows))
            return False
        metrics.SPOOLED_ROWS.inc(len(rows))
        return True
