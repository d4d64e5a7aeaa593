"""How many rows per second one process archives, and counts in the archive; for Django's shell."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from predictor.log.archive_places import Folder
from predictor.log.archiving import archive


def measure(folder: str) -> dict[str, tuple[str, float | None, float]]:
    """Title, bytes per row and rows per second: of the archive of whole days, and of reading it."""
    began = time.perf_counter()
    rows = sum(count for _, _, count in archive(Folder(Path(folder)), datetime.now(UTC).date()))
    written = time.perf_counter() - began
    files = list(Path(folder).rglob("*.parquet"))
    size = sum(file.stat().st_size for file in files)
    began = time.perf_counter()
    for file in files:
        pc.value_counts(pq.ParquetFile(file).read(["top_flag"], use_threads=False)["top_flag"])
    read = time.perf_counter() - began
    return {
        "archive": ("Parquet, written and checked", size / rows, rows / written),
        "read": ("Parquet, one column counted", None, rows / read),
    }
