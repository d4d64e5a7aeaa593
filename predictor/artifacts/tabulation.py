"""The scores of every row a contract allows, asked of the estimator."""

import random
import time
from array import array

from .errors import ScoringError
from .estimators import load_scorer
from .files import VersionFiles
from .policy import Policy
from .rows import Grid, grid_of
from .scoring import Scorer
from .unpickling import read_contract

_BATCH = 10_000  # rows asked at a time
_SAMPLE = 64  # rows also asked one at a time, to see that it makes no difference


def tabulate_version(files: VersionFiles, policy: Policy) -> "array[float]":
    """The scores of a version's grid; empty when there is none, or it takes too long."""
    contract = read_contract(files, policy)
    grid = grid_of(contract, policy.cells)
    if grid is None:
        return array("d")
    # the other half of the processor time for loading, and for being wrong about the rest
    return tabulate(grid, load_scorer(files, contract, policy, None), policy.limits.seconds / 2)


def tabulate(grid: Grid, scorer: Scorer, seconds: float) -> "array[float]":
    """The scores of ``grid``, row after row.

    Empty when the estimator would need more than ``seconds``, or cannot score some row. Rows are
    asked in batches as long as that gives the very same numbers as asking one at a time (the
    products of matrices may round differently), else one at a time.
    """
    scores = array("d")
    rows = list(grid.rows())
    sample = random.Random(0).sample(rows, min(_SAMPLE, len(rows)))  # noqa: S311
    try:
        began = time.monotonic()
        alone = [scorer.score([row])[0] for row in sample]
        halfway = time.monotonic()
        same = alone == scorer.score(sample)
        cost = (time.monotonic() - halfway if same else halfway - began) / len(sample)
        if cost * len(rows) > seconds:
            return scores
        size = _BATCH if same else 1
        for at in range(0, len(rows), size):
            for answer in scorer.score(rows[at : at + size]):
                scores.extend(answer)
    except ScoringError:
        return array("d")
    return scores
