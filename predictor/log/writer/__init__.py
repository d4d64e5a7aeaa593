"""The prediction log's writer: an answer is recorded before it is sent.

``rows`` is the shape of a row, ``store`` the database table, ``spool`` the files that replace it
during an outage, ``commits`` the group commit over both, ``replay`` the copying back from files to
table.
"""

import logging
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import connections

from predictor.log.errors import LogUnavailable
from predictor.log.writer.commits import LogWriter, NotRecordedError
from predictor.log.writer.disk import database_disk, log_disk
from predictor.log.writer.health import Condition, Health
from predictor.log.writer.replay import replay
from predictor.log.writer.rows import LogRow
from predictor.log.writer.spool import Spool, Waiting
from predictor.log.writer.store import connect_store

__all__ = [
    "LogRow",
    "can_record",
    "close",
    "condition",
    "is_kept",
    "log_writer",
    "record",
    "replay_spool",
    "start",
    "waiting",
]


logger = logging.getLogger(__name__)


@cache
def log_writer() -> LogWriter:
    """This process's writer; its start also replays the spool files of dead processes."""
    return LogWriter(connect_store, Spool(Path(settings.SPOOL_DIR)))


# A worker forked from a process with a writer gets a separate connection and spool.
os.register_at_fork(after_in_child=log_writer.cache_clear)


def is_kept() -> bool:
    """Whether the server keeps a log."""
    kept: bool = settings.PREDICTION_LOG != "off"
    return kept


def record(rows: Sequence[LogRow]) -> None:
    """Record ``rows``; returns once they are recorded. Raises LogUnavailable if they cannot be.

    With PREDICTION_LOG=best-effort, it returns even if they could not be recorded.
    """
    try:
        log_writer().record(rows)
    except NotRecordedError as error:
        if settings.PREDICTION_LOG == "required":
            raise LogUnavailable from error


def start() -> None:
    """Open this process's writer now, not at its first row, and test the spool."""
    if not is_kept():
        return
    log_writer()
    if not condition().spool:
        logger.error(
            "the spool in %s cannot be written: while the database is down no prediction can be "
            "recorded (SPOOL_DIR)", settings.SPOOL_DIR
        )  # fmt: skip


@cache
def _health() -> Health:
    return Health(connect_store, Spool(Path(settings.SPOOL_DIR)))


def condition() -> Condition:
    """Which places accept rows now and have room for more; tested at most every two seconds."""
    found, disk = _health().condition(), database_disk(connections.settings["default"])
    return Condition(
        found.database and not (disk is not None and disk.is_full()),
        found.spool and not log_disk(Path(settings.SPOOL_DIR)).is_full(),
    )


def waiting() -> Waiting:
    """What waits in the spool: this process's files and those of all that share its folder."""
    return Spool(Path(settings.SPOOL_DIR)).waiting()


def replay_spool() -> int:
    """Write the spool files that no living process holds to the database; returns how many rows.

    Raises django.db.Error or OSError where it fails.
    """
    store = connect_store()
    try:
        return replay(Spool(Path(settings.SPOOL_DIR)), store)
    finally:
        store.close()


def can_record() -> bool:
    """Whether the state of the log allows predictions."""
    return settings.PREDICTION_LOG != "required" or any(condition())


def close() -> None:
    """Before the process ends, write the rest of its spool to the database, if that accepts it."""
    if log_writer.cache_info().currsize:
        log_writer().close()
        log_writer.cache_clear()
