"""How good probabilities are, measured on cells: rows of counts, one column per outcome."""

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

Array = npt.NDArray[np.float64]
BINS = 20


@dataclass(frozen=True)
class Quality:
    """Weighted by crimes. Lower is better but for ``auc``."""

    log_loss: float
    brier: float
    auc: float  # 0.5 is chance; for several outcomes the mean over them, each against the rest
    calibration_error: float  # expected |stated - actual| share, in the same way

    def rounded(self) -> dict[str, float]:
        return {name: round(value, 5) for name, value in asdict(self).items()}


def quality(probabilities: Array, counts: Array) -> Quality:
    """Measure ``probabilities`` against ``counts``, both of shape (cells, outcomes)."""
    outcomes = range(counts.shape[1]) if counts.shape[1] > 2 else [1]
    sizes = counts.sum(axis=1)
    one = [(probabilities[:, k], counts[:, k], sizes - counts[:, k]) for k in outcomes]
    return Quality(
        log_loss=log_loss(probabilities, counts),
        brier=float(np.sum([_squared(*o) for o in one]) / sizes.sum()),
        auc=float(np.mean([_auc(*o) for o in one])),
        calibration_error=float(np.mean([calibration_error(*o) for o in one])),
    )


def log_loss(probabilities: Array, counts: Array) -> float:
    """Mean of -ln(probability given to what happened)."""
    safe = np.clip(probabilities, 1e-15, 1)
    return float(-(counts * np.log(safe)).sum() / counts.sum())


def calibration_error(stated: Array, hits: Array, misses: Array) -> float:
    """Expected calibration error: mean |stated - actual share| over bins of equal volume."""
    table = reliability(stated, hits, misses)
    gaps = (table["stated"] - table["actual"]).abs()
    return float(np.average(gaps, weights=table["crimes"]))


def reliability(stated: Array, hits: Array, misses: Array) -> pd.DataFrame:
    """Stated and actual share in up to 20 bins of about equal volume, by rising ``stated``."""
    sizes = hits + misses
    order = np.argsort(stated, kind="stable")
    volume = np.cumsum(sizes[order]) - sizes[order] / 2
    bins = np.minimum((volume / sizes.sum() * BINS).astype(int), BINS - 1)
    parts = pd.DataFrame(
        {"bin": bins, "crimes": sizes[order], "hits": hits[order],
         "stated": (stated * sizes)[order]}
    ).groupby("bin").sum()  # fmt: skip
    parts = parts[parts["crimes"] > 0]
    return pd.DataFrame(
        {
            "crimes": parts["crimes"],
            "stated": parts["stated"] / parts["crimes"],
            "actual": parts["hits"] / parts["crimes"],
        }
    )


def ceiling(counts: Array) -> float:
    """The log loss of the cells' own rates: no model of force, crime and month can beat it.

    The rates were taken from the very crimes they are measured on, which flatters them; the term
    (outcomes seen - 1) / 2 per cell takes that back (Miller 1955, "Note on the bias of
    information estimates").
    """
    sizes = counts.sum(axis=1, keepdims=True)
    flattering = log_loss(counts / sizes, counts)
    return float(flattering + ((counts > 0).sum(axis=1) - 1).sum() / 2 / counts.sum())


def _squared(stated: Array, hits: Array, misses: Array) -> float:
    return float((hits * (1 - stated) ** 2 + misses * stated**2).sum())


def _auc(stated: Array, hits: Array, misses: Array) -> float:
    truth = np.repeat([1, 0], len(stated))
    weights = np.concatenate([hits, misses])
    return float(roc_auc_score(truth, np.tile(stated, 2), sample_weight=weights))
