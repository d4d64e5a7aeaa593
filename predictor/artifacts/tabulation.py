"""The estimator's scores of every row that a contract allows."""

import itertools
import random
import time
from array import array
from collections.abc import Sequence

from .errors import ScoringError
from .estimators import load_scorer
from .files import VersionFiles
from .inputs import Row
from .policy import Policy
from .report_store import Report
from .scoring import Scorer
from .trial_rows import Grid, grid_of
from .unpickling import read_contract

_BATCH = 10_000  # rows scored in one call
_SAMPLE = 64  # fewest rows scored one at a time, to see that batches make no difference
_PROOF = 1.0  # seconds of processor time that this may take
_BUSY = 5  # times as long by the clock, on a busy machine


def tabulate_version(files: VersionFiles, policy: Policy, report: Report) -> "array[float]":
    """The scores of a version's grid; empty when it has no grid or scoring takes too long."""
    contract = read_contract(files, policy).refined(report.kinds, report.flags)
    grid = grid_of(contract, policy.cells)
    if grid is None:
        return array("d")
    # the other half of the processor time is for loading, and a margin for the estimate
    scorer = load_scorer(files, contract, policy, None, report.rows)
    return tabulate(grid, scorer, policy.limits.seconds / 2)


def tabulate(grid: Grid, scorer: Scorer, seconds: float) -> "array[float]":
    """The scores of ``grid``, row after row.

    Empty when the estimator would need more than ``seconds``, or cannot score some row. As many
    rows as a second allows, from all over the grid, are scored one at a time. The others are scored
    in batches, if batches gave exactly the same numbers for the first: products of matrices may
    round differently, if only for one row in a hundred.
    """
    rows = list(grid.rows())
    places = random.Random(0).sample(range(len(rows)), len(rows))  # noqa: S311
    try:
        began = time.monotonic()
        alone = _asked_alone(scorer, rows, places)
        if len(alone) == len(rows):
            return array("d", itertools.chain.from_iterable(alone[at] for at in range(len(rows))))
        halfway = time.monotonic()
        sample = scorer.score([rows[place] for place in alone])
        same = [*map(list, alone.values())] == [*map(list, sample)]
        cost = (time.monotonic() - halfway if same else halfway - began) / len(alone)
        if cost * len(rows) > seconds:
            return array("d")
        size = _BATCH if same else 1
        batches = (scorer.score(rows[at : at + size]) for at in range(0, len(rows), size))
        return array("d", itertools.chain.from_iterable(itertools.chain.from_iterable(batches)))
    except ScoringError:
        return array("d")


def _asked_alone(
    scorer: Scorer, rows: Sequence[Row], places: Sequence[int]
) -> dict[int, Sequence[float]]:
    """The scores of rows scored one at a time, in the order of ``places``, for a second or more.

    The second is processor time, so a busy machine scores as many and has the same table to the
    bit.
    """
    began, worked = time.monotonic(), time.process_time()
    scores: dict[int, Sequence[float]] = {}
    for place in places:
        scores[place] = scorer.score([rows[place]])[0]
        passed = time.monotonic() - began
        taken = max(min(time.process_time() - worked, passed), passed / _BUSY)
        if len(scores) >= _SAMPLE and taken > _PROOF:
            break
    return scores
