"""Every answer a model can give, computed once and kept in a file.

Where each feature is labelled, or a whole number between two bounds, a model has a limited number
of different inputs. The estimator scores all of them once, in a separate process; from then on an
answer is looked up in the file, without numpy, scikit-learn or the estimator in memory. The file
keeps the estimator's numbers to the bit.
"""

from __future__ import annotations

import hashlib
import json
import logging
import mmap
import sys
from collections.abc import Sequence
from pathlib import Path

from .durable import replace_file
from .inputs import Row
from .policy import Policy
from .report_store import circumstances, readable, writable
from .scores import ScoreKind, Scores
from .trial_rows import Grid

logger = logging.getLogger(__name__)


class Table:
    """The scores of a grid: answers like a Scorer, without an estimator."""

    confinement = "none needed: answers come from a table"

    def __init__(self, grid: Grid, kind: ScoreKind, scores: memoryview[float]) -> None:
        """``scores`` holds float64, row after row of ``grid``."""
        self.kind = kind
        self.grid = grid
        self.scores = scores
        self.width = len(scores) // grid.size  # flags
        self._steps = []
        step = len(scores)
        for axis in grid.axes:
            step //= len(axis)
            self._steps.append({cell: place * step for place, cell in enumerate(axis)})

    def score(self, rows: Sequence[Row]) -> Scores:
        """One list per row, one float per flag."""
        scores, steps, width = self.scores, self._steps, self.width
        answers = []
        for row in rows:
            at = 0
            for step, cell in zip(steps, row, strict=True):
                at += step[cell]
            answers.append(scores[at : at + width].tolist())
        return answers

    def wake(self) -> None:
        """A table is always ready."""


class Tables:
    """The store of tables, next to the reports and valid as long as they are.

    A file is a line of JSON and the scores as float64. A file without scores records that the
    table cannot be computed, so that it is not tried again.
    """

    def __init__(self, folder: Path, policy: Policy) -> None:
        self._folder = writable(folder)
        self._places = readable(folder)
        self._circumstances = circumstances(policy) | {"byteorder": sys.byteorder}

    def find(self, fingerprint: str) -> memoryview[float] | None:
        """The scores kept for that version; None when there are none, or the file is damaged."""
        found = (self._read(folder / f"{fingerprint}.table") for folder in self._places)
        return next((scores for scores in found if scores is not None), None)

    def keep(self, fingerprint: str, scores: memoryview[float]) -> None:
        """Keep ``scores``; the file appears complete or not at all."""
        data = scores.cast("B")
        try:
            replace_file(self._folder / f"{fingerprint}.table", self._head(data), b"\n", data)
        except OSError as error:  # the estimator answers until the disk has room
            logger.warning("a table cannot be kept in %s: %s", self._folder, error.strerror)

    def _read(self, path: Path) -> memoryview[float] | None:
        try:
            with open(path, "rb") as file:
                content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError):  # ValueError: an empty file
            return None
        line = bytes(content[: 2**16]).partition(b"\n")[0]
        scores = content[len(line) + 1 :]
        return scores.cast("d") if line == self._head(scores) else None

    def _head(self, data: memoryview) -> bytes:
        digest = hashlib.sha256(data).hexdigest()
        return json.dumps({"sha256": digest, "circumstances": self._circumstances}).encode()
