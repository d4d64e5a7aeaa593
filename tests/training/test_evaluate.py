"""Measures of probabilities, on cells whose answer is known by hand."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from training.evaluate import ceiling, quality, reliability
from training.evaluate import log_loss as ours


@pytest.fixture
def cells():
    """300 cells of up to 40 crimes: stated shares, counts, and the same as single records."""
    random = np.random.default_rng(7)
    stated = random.random(300)
    sizes = random.integers(1, 40, 300)
    hits = random.binomial(sizes, stated)
    counts = np.column_stack([sizes - hits, hits]).astype(float)
    truth = np.concatenate([np.repeat([0, 1], c.astype(int)) for c in counts])
    records = np.repeat(stated, sizes)
    return np.column_stack([1 - stated, stated]), counts, truth, records


def test_it_works(cells):
    stated, counts, truth, records = cells
    found = quality(stated, counts)
    assert found.log_loss == pytest.approx(log_loss(truth, records))
    assert found.brier == pytest.approx(brier_score_loss(truth, records))
    assert found.auc == pytest.approx(roc_auc_score(truth, records))
    assert found.calibration_error < 0.05


def test_reliability_counts_every_crime_once(cells):
    stated, counts, _, _ = cells
    table = reliability(stated[:, 1], counts[:, 1], counts[:, 0])
    assert len(table) == 20
    assert table["crimes"].sum() == counts.sum()
    assert table["stated"].is_monotonic_increasing
    assert table["crimes"].max() < 2 * table["crimes"].min()


def test_calibration_error_is_the_mean_gap():
    stated, counts = np.array([[0.8, 0.2], [0.4, 0.6]]), np.array([[70.0, 30.0], [50.0, 50.0]])
    assert quality(stated, counts).calibration_error == pytest.approx(0.1)


def test_no_model_beats_the_ceiling_but_by_chance():
    random = np.random.default_rng(1)
    true = random.uniform(0.05, 0.3, 2000)
    hits = random.binomial(500, true)
    counts = np.column_stack([500 - hits, hits]).astype(float)
    best = ours(np.column_stack([1 - true, true]), counts)
    assert ceiling(counts) == pytest.approx(best, abs=2e-4)


def test_several_outcomes_are_weighed_alike(cells):
    _, counts, _, _ = cells
    three = np.column_stack([counts, counts[:, 0]])
    shares = three / three.sum(axis=1, keepdims=True)
    found = quality(shares, three)
    assert found.calibration_error == pytest.approx(0, abs=1e-9)
    assert found.log_loss == pytest.approx(
        -(three * np.log(np.clip(shares, 1e-15, 1))).sum() / three.sum()
    )
