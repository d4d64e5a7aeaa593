"""Group commit: requests that wait at the same moment share one transaction.

The first request that comes while nothing gathers opens a batch and leads it; those that come
until it is this process's turn to write join it and wait for one event. No request waits for
others: a request that is alone commits at once.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial

from django.db import Error as DatabaseFailure

from predictor.concurrency import let_others_run, run_in_thread, system_lock, with_timeout
from predictor.log.writer.replay import Replayer, replay
from predictor.log.writer.rows import LogRow
from predictor.log.writer.spool import Spool
from predictor.log.writer.store import Store
from predictor.monitoring import metrics

logger = logging.getLogger(__name__)

_BATCH = 5_000  # rows; a batch that has as many takes no more


class NotRecordedError(Exception):
    """Neither the database nor the spool took the rows."""


class _Batch:
    """Rows that are committed together, and the news of it."""

    __slots__ = ("closed", "recorded", "rows", "settled")

    def __init__(self) -> None:
        self.rows: list[LogRow] = []
        self.closed = False  # to others
        self.settled = threading.Event()
        self.recorded = False


class LogWriter:
    """Puts rows on record: in the database, or in the spool while that cannot be written."""

    def __init__(self, connect: Callable[..., Store], spool: Spool) -> None:
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
        """Return when ``rows`` are on record. Raises NotRecordedError when they cannot be."""
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

    def begin_bulk(self) -> None:
        """Block other processes as little as can be, from now on; ``flush`` makes it durable."""
        with self._writing:
            self._connect = partial(self._connect, in_bulk=True)
            self._store.close()
            self._store = self._connect()

    def flush(self) -> None:
        """Return when what was recorded is on the disk. Raises django.db.Error, OSError."""
        with self._writing:
            self._store.flush()

    def close(self) -> None:
        """Write what the spool holds, where the database allows it."""
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
            with self._writing:  # while the batch before is being written, this one gathers
                metrics.QUEUE_ROWS.set(len(batch.rows))
                batch.recorded = self._inserted(batch) or self._spooled(self._close(batch))
                metrics.BATCH_ROWS.observe(len(batch.rows))
        finally:
            self._close(batch)
            metrics.QUEUE_ROWS.set(0 if self._gathering.closed else len(self._gathering.rows))
            batch.settled.set()

    def _close(self, batch: _Batch) -> Sequence[LogRow]:
        """The rows of ``batch``, which no other joins any more; the thread that writes calls it."""
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
            # its connection may be broken, or in the hands of a call that never ends
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
