"""Whether a disk has room for the log: checked regularly, with an early warning."""

import logging
import os
import shutil
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)

_KEPT = 2.0  # seconds
_EARLY = 4  # times the minimum: free space at which it warns
_SMALL = 0.05  # share of the disk: the minimum on a small one


class Disk:
    """The disk that holds a folder; the folder need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._until = 0.0
        self._is_full = self._is_low = False

    def usage(self) -> tuple[int, int]:
        """(free bytes, total bytes)."""
        places = (self._folder, *self._folder.parents)
        # a folder below one without access counts as missing
        there = next(path for path in places if os.path.exists(path))  # noqa: PTH110 - it raises
        found = shutil.disk_usage(there)
        return found.free, found.total

    def is_full(self) -> bool:
        """Whether the free space is below the minimum; logs a change."""
        if time.monotonic() >= self._until:
            free, total = self.usage()
            least = min(settings.LOG_MIN_FREE_MB * 2**20, int(total * _SMALL))
            self._until = time.monotonic() + _KEPT
            was_low, self._is_low = self._is_low, free < _EARLY * least
            self._is_full = free < least
            if self._is_low and not was_low:
                logger.error(
                    "the disk of the log has %.0f MB left, in %s; below %.0f MB nothing is written "
                    "there (LOG_MIN_FREE_MB): prune the log or give it more",
                    free / 2**20, self._folder, least / 2**20,
                )  # fmt: skip
        return self._is_full


@cache
def log_disk(folder: Path) -> Disk:
    """The disk that holds ``folder``, one object per process."""
    return Disk(folder)


def database_disk(described: Mapping[str, Any]) -> Disk | None:
    """The disk of the database with these settings; None if it is on another machine."""
    if not described["ENGINE"].endswith("sqlite3"):
        return None
    return log_disk(Path(described["NAME"]).parent)
