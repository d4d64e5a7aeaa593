"""The prediction log's writer: an answer is on record before it leaves.

``rows`` is the shape of a row, ``store`` the database's table, ``spool`` the files that stand in
for it, ``commits`` the group commit over both, ``replay`` the way back from files to table.
"""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from django.conf import settings

from predictor.errors import LedgerUnavailable
from predictor.log.writer.commits import Ledger, NotRecordedError
from predictor.log.writer.rows import Row
from predictor.log.writer.spool import Spool
from predictor.log.writer.store import own_store

__all__ = ["Row", "close", "is_kept", "ledger", "record", "start"]


@cache
def ledger() -> Ledger:
    """This process's ledger; what dead processes left in the spool is replayed from its start."""
    return Ledger(own_store, Spool(Path(settings.SPOOL_DIR)))


# A worker that is forked from a process with a ledger gets a connection and a spool of its own.
os.register_at_fork(after_in_child=ledger.cache_clear)


def is_kept() -> bool:
    """Whether there is a log at all."""
    kept: bool = settings.PREDICTION_LOG != "off"
    return kept


def record(rows: Sequence[Row]) -> None:
    """Put ``rows`` on record; returns when they are, raises LedgerUnavailable when they are not.

    PREDICTION_LOG=best-effort lets an answer go that could not be recorded.
    """
    try:
        ledger().record(rows)
    except NotRecordedError as error:
        if settings.PREDICTION_LOG == "required":
            raise LedgerUnavailable from error


def start() -> None:
    """Open this process's ledger now rather than with its first row."""
    if is_kept():
        ledger()


def close() -> None:
    """Write what the spool still holds, where the database allows it; for a process that ends."""
    if ledger.cache_info().currsize:
        ledger().close()
        ledger.cache_clear()
