"""How much of the past counts: chosen on earlier quarters, never on the held-out one.

Each of up to four quarters before the last is predicted from the months before it (rolling
origins). The longest memory within TIE of the best is chosen.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .candidates import Learnt
from .cells import QUARTER, split_by_time
from .evaluate import log_loss
from .lessons import Past

# the longest first; a faded month still counts where no newer one exists, a cut-off one does not
PASTS = (Past(), Past(half_life=12), Past(months=12), Past(half_life=6))
ORIGINS = 4
YEAR = 12
TIE = 1e-4  # of log loss; a smaller difference means nothing on so few quarters

Learn = Callable[[pd.DataFrame, Past], Learnt]


@dataclass(frozen=True)
class Memory:
    """The chosen past, and the loss of each candidate on the earlier quarters."""

    past: Past
    losses: dict[Past, float]  # mean log loss
    tested: list[tuple[Learnt, pd.DataFrame]]  # models of the chosen past, and test cells


def choose(
    cells: pd.DataFrame, learn: Learn, shape: Callable[[pd.DataFrame], pd.DataFrame]
) -> Memory:
    """Choose on ``cells``, which end before the held-out quarter.

    ``shape`` turns them into the outcomes that the model answers. One year is too short to compare
    memories, so then nothing is forgotten. Raises FiguresError without an earlier quarter.
    """
    split_by_time(cells)
    tested = {
        past: [(learn(before, past), shape(after)) for before, after in _origins(cells)]
        for past in PASTS[: len(PASTS) if _months(cells) > YEAR else 1]
    }
    losses = {
        past: float(np.mean([_loss(learnt, after) for learnt, after in each]))
        for past, each in tested.items()
    }
    best = min(losses.values())
    chosen = next(past for past, loss in losses.items() if loss <= best + TIE)
    return Memory(chosen, losses, tested[chosen])


def _months(cells: pd.DataFrame) -> int:
    periods = pd.PeriodIndex(cells.index.unique("period"), freq="M")
    return len(pd.period_range(periods.min(), periods.max(), freq="M"))


def _loss(learnt: Learnt, after: pd.DataFrame) -> float:
    return log_loss(learnt.shares(after), after.to_numpy(dtype=np.float64))


def _origins(cells: pd.DataFrame) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """(the cells before, those of a quarter), the latest quarter first."""
    month = pd.PeriodIndex(cells.index.get_level_values("period"), freq="M")
    found = []
    for back in range(ORIGINS):
        end = month.max() - back * QUARTER
        before, inside = month <= end - QUARTER, (month > end - QUARTER) & (month <= end)
        if before.any() and inside.any():
            found.append((cells[before], cells[inside]))
    return found
