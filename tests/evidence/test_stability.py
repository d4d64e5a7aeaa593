"""Whether two populations are the same, compared with scipy's tests."""

import math

import numpy as np
import pytest
from scipy import stats

from predictor.evidence.stability import Population, chance, corrected, population, shift


def of(counts):
    shares = {f"kind {n}": float(count) for n, count in enumerate(counts / counts.sum())}
    return Population(shares, float(counts.sum()))


@pytest.mark.parametrize("seed", range(3))
def test_it_works(seed):
    random = np.random.default_rng(seed)
    asked, expected = random.integers(50, 500, 6), random.integers(50, 500, 6)
    found = shift(of(asked), of(expected))
    a, e = asked / asked.sum(), expected / expected.sum()
    assert found.psi == pytest.approx(np.sum((a - e) * np.log(a / e)))
    assert found.p_value == pytest.approx(stats.chi2_contingency([asked, expected]).pvalue)


@pytest.mark.parametrize("seed", range(3))
def test_exact_shares_are_no_sample(seed):
    random = np.random.default_rng(seed)
    asked, shares = random.integers(50, 500, 6), random.dirichlet([5] * 6)
    exact = Population({f"kind {n}": float(share) for n, share in enumerate(shares)}, math.inf)
    p_value = stats.chisquare(asked, shares * asked.sum()).pvalue
    assert shift(of(asked), exact).p_value == pytest.approx(p_value, abs=1e-12)


@pytest.mark.parametrize("degrees", [1, 2, 3, 10, 51, 300, 2001])
def test_the_chance_is_that_of_the_chi_square_distribution(degrees):
    for value in (1e-9, 0.5, degrees / 2, degrees, degrees * 1.3, degrees * 3.0, 1e5):
        assert chance(value, degrees) == pytest.approx(stats.chi2.sf(value, degrees), abs=1e-12)


def test_features_that_stay_the_same_are_not_significant():
    """Shares of a thousand sampled answers are not exact: taken as exact, 23 of 30 had shifted."""
    random, features = np.random.default_rng(8), 30
    p_values, naive = [], []
    for _ in range(features):
        shares = random.dirichlet([2] * 44)
        first, now = random.multinomial(1000, shares), random.multinomial(2000, shares)
        p_values.append(shift(of(now), of(first)).p_value)
        naive.append(shift(of(now), of(first)._replace(size=math.inf)).p_value)
    assert sum(p < 0.05 for p in naive) > features / 2
    assert not any(p < 0.05 for p in corrected(p_values))


def test_unseen_and_rare_kinds_count():
    found = shift(of(np.array([500.0, 0, 1, 1])), of(np.array([0, 500.0, 1, 1])))
    assert found.psi > 10
    assert found.p_value < 1e-9


def test_a_weight_is_a_part_of_an_answer():
    """Ten answers to one array say as much as one answer."""
    found = population(["a"] * 5 + ["b"] * 10, [1.0] * 5 + [0.1] * 10)
    assert found.shares == pytest.approx({"a": 5 / 6, "b": 1 / 6})
    assert found.size == pytest.approx(36 / 5.1)


def test_many_tests_are_corrected_as_holm_has_it():
    assert corrected([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert corrected([]) == []
