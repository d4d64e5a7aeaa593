"""Whether the disk has room for the log: looked at again and again, and said early."""

import logging
import shutil
import time
from functools import cache
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)

_KEPT = 2.0  # seconds
_EARLY = 4  # times the minimum at which it is said
_SMALL = 0.05  # of a disk: a small one need not have more free


class Disk:
    """The disks of the spool and of a SQLite log."""

    def __init__(self) -> None:
        self._until = 0.0
        self._is_full = self._is_low = False

    def free(self) -> tuple[int, int]:
        """(bytes free, bytes that must be) on the disk that has the least to spare."""
        found = [_usage(path) for path in _folders()]
        return min(found, key=lambda pair: pair[0] - pair[1])

    def is_full(self) -> bool:
        """Whether less is free than must be; a change is logged."""
        if time.monotonic() >= self._until:
            free, least = self.free()
            self._until = time.monotonic() + _KEPT
            was_low, self._is_low = self._is_low, free < _EARLY * least
            self._is_full = free < least
            if self._is_low and not was_low:
                logger.error(
                    "the disk of the log has %.0f MB left; below %.0f MB no prediction is answered "
                    "that must be recorded (LOG_MIN_FREE_MB): prune the log or give it more",
                    free / 2**20, least / 2**20,
                )  # fmt: skip
        return self._is_full


def _folders() -> list[Path]:
    folders = [Path(settings.SPOOL_DIR)]
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3") and database["NAME"] != ":memory:":
        folders.append(Path(database["NAME"]).parent)
    return folders


def _usage(folder: Path) -> tuple[int, int]:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return usage.free, min(settings.LOG_MIN_FREE_MB * 2**20, int(usage.total * _SMALL))


@cache
def log_disk() -> Disk:
    """This process's view of it."""
    return Disk()
