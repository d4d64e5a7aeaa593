"""How long the log's own writer takes for a transaction, by its rows; run in Django's shell."""

from __future__ import annotations

import time
from statistics import median

from predictor.log.writer.store import connect_store
from tests.log.entries import entry

SIZES = (1, 4, 16, 64)  # rows
_TIMES = 40  # each


def measure() -> dict[int, float]:
    """The median of seconds, by rows of a transaction."""
    store, number, found = connect_store(), 0, {}
    for size in SIZES:
        taken = []
        for _ in range(_TIMES):
            rows = [entry(number=number + n) for n in range(size)]
            number += size
            began = time.perf_counter()
            store.insert(rows, lambda row, reason: None)
            taken.append(time.perf_counter() - began)
        found[size] = median(taken)
    return found
