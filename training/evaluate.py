"""How good probabilities are, measured on cells: rows of counts, one column per outcome.

The server measures its log in the same way (predictor.evidence.losses).
"""

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

from predictor.evidence import losses

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Quality:
    """Measures weighted by crimes. Lower is better, except for ``auc``."""

    log_loss: float
    brier: float
    auc: float  # 0.5 is chance; for several outcomes the mean, each against the rest
    calibration_error: float  # expected |stated - actual| share, with the same mean

    def rounded(self) -> dict[str, float]:
        return {name: round(value, 5) for name, value in asdict(self).items()}


def quality(probabilities: Array, counts: Array) -> Quality:
    """Measure ``probabilities`` against ``counts``, both of shape (cells, outcomes)."""
    outcomes = range(counts.shape[1]) if counts.shape[1] > 2 else [1]
    sizes = counts.sum(axis=1)
    stated, happened = probabilities.tolist(), counts.tolist()
    return Quality(
        log_loss=log_loss(probabilities, counts),
        brier=losses.brier(stated, happened),
        auc=float(
            np.mean(
                [_auc(probabilities[:, k], counts[:, k], sizes - counts[:, k]) for k in outcomes]
            )
        ),
        calibration_error=losses.calibration_error(stated, happened),
    )


def log_loss(probabilities: Array, counts: Array) -> float:
    """Mean of -ln(probability given to what happened)."""
    return losses.log_loss(probabilities.tolist(), counts.tolist())


def reliability(stated: Array, hits: Array, misses: Array) -> pd.DataFrame:
    """Stated and actual share in up to 20 bins of about equal volume, by rising ``stated``."""
    pairs = np.column_stack([misses, hits])
    bins = losses.reliability(np.column_stack([1 - stated, stated]).tolist(), pairs.tolist(), 1)
    return pd.DataFrame(
        {
            "crimes": [one.size for one in bins],
            "stated": [one.stated for one in bins],
            "actual": [one.actual for one in bins],
        }
    )


def ceiling(counts: Array) -> float:
    """The log loss of the cells' own rates: no model of force, crime and month can beat it.

    The rates come from the same crimes they are measured on, which makes them look too good;
    the term (outcomes seen - 1) / 2 per cell corrects that (Miller 1955, "Note on the bias of
    information estimates").
    """
    sizes = counts.sum(axis=1, keepdims=True)
    flattering = log_loss(counts / sizes, counts)
    return float(flattering + ((counts > 0).sum(axis=1) - 1).sum() / 2 / counts.sum())


def _auc(stated: Array, hits: Array, misses: Array) -> float:
    truth = np.repeat([1, 0], len(stated))
    weights = np.concatenate([hits, misses])
    return float(roc_auc_score(truth, np.tile(stated, 2), sample_weight=weights))
