"""Paired differences and calibration, against numbers worked out by hand and elsewhere."""

import math

import numpy as np
import pytest
from scipy.stats import t

from predictor.evidence.accuracy import accuracy_of
from predictor.evidence.losses import calibration_error, log_loss, paired_difference
from training.evaluate import quality


def test_it_works():
    scores, counts = [(0.25, 0.75), (0.5, 0.5)], [(1.0, 1.0), (2.0, 0.0)]
    expected = -(math.log(0.25) + math.log(0.75) + 2 * math.log(0.5)) / 4
    assert log_loss(scores, counts) == pytest.approx(expected, rel=1e-14)


def test_what_was_held_impossible_costs_much_but_not_everything():
    assert log_loss([(0.0, 1.0)], [(1.0, 0.0)]) == pytest.approx(-math.log(1e-15))


def test_the_interval_is_that_of_the_formula():
    random = np.random.default_rng(7)
    ours, theirs = random.uniform(0.2, 0.8, 60), random.uniform(0.2, 0.8, 60)
    hits, misses = random.integers(0, 9, 60), random.integers(1, 9, 60)
    cluster = np.arange(60) % 12

    def losses(share):
        return -(hits * np.log(share) + misses * np.log(1 - share))

    gains = np.bincount(cluster, losses(theirs) - losses(ours))
    sizes = np.bincount(cluster, hits + misses)
    mean = gains.sum() / sizes.sum()
    error = np.sqrt(12 / 11 * ((gains - mean * sizes) ** 2).sum()) / sizes.sum()
    found = paired_difference(
        list(zip(1 - ours, ours, strict=True)),
        list(zip(1 - theirs, theirs, strict=True)),
        list(zip(misses.tolist(), hits.tolist(), strict=True)),
        [str(c) for c in cluster],
    )
    assert found.clusters == 12
    assert found.mean == pytest.approx(mean, rel=1e-12)
    assert found.error == pytest.approx(error, rel=1e-12)
    assert found.low == pytest.approx(mean - t.ppf(0.975, 11) * error, rel=1e-10)
    assert found.high == pytest.approx(mean + t.ppf(0.975, 11) * error, rel=1e-10)


def test_one_cluster_has_no_interval():
    same = [(0.5, 0.5)] * 3
    assert paired_difference(same, same, same, ["a"] * 3) is None


def test_calibration_is_by_bins_of_equal_volume():
    scores = [(0.9, 0.1), (0.5, 0.5)]
    counts = [(9.0, 1.0), (5.0, 5.0)]
    assert calibration_error(scores, counts) == pytest.approx(0)
    counts = [(8.0, 2.0), (5.0, 5.0)]
    assert calibration_error(scores, counts) == pytest.approx(0.05)
    three = [(0.2, 0.3, 0.5)]
    assert calibration_error(three, [(2.0, 5.0, 3.0)]) == pytest.approx(0.4 / 3)


@pytest.mark.parametrize("flags", [2, 3, 7])
def test_training_and_the_log_measure_the_same(flags):
    """The card and the dashboard give one version's one record the same figures."""
    random = np.random.default_rng(flags)
    scores = random.dirichlet([1.5] * flags, 400)
    truth = [random.choice(flags, p=row) for row in scores]
    names = [f"flag {n}" for n in range(flags)]
    cases = [
        (names[t], names[int(row.argmax())], dict(zip(names, map(float, row), strict=True)))
        for t, row in zip(truth, scores, strict=True)
    ]
    card = quality(scores, np.eye(flags)[truth])
    logged = accuracy_of("arkham", "1.0.0", cases)
    assert logged.log_loss == pytest.approx(card.log_loss, rel=1e-12)
    assert logged.brier == pytest.approx(card.brier, rel=1e-12)
    assert logged.calibration_error == pytest.approx(card.calibration_error, rel=1e-12)
