"""The shorter ways to an estimator's numbers give those very numbers, or are not taken."""

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from predictor.artifacts import direct
from predictor.artifacts.contract import build_contract
from predictor.artifacts.scoring import FEW, Scorer

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.random((200, 4))
CLASSES = (ROWS.sum(axis=1) * 2 + RANDOM.random(200)).astype(int)
SIZES = [1] * 20 + [2, 3, FEW - 1, FEW, FEW + 1]


def samples():
    return [RANDOM.random((size, 4)) * 1.2 for size in SIZES]


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("trees", [1, 2, 9])
def test_a_merged_forest_gives_a_classifiers_own_numbers(kind, trees):
    forest = kind(trees, random_state=0).fit(ROWS, CLASSES)
    way = direct.shortcut(forest, forest.predict_proba, samples())
    assert way is not None
    for rows in samples():
        assert np.array_equal(way(rows), forest.predict_proba(rows))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor])
def test_it_gives_a_regressors_own_numbers(kind):
    """One number a row: added one after the other as scikit-learn does, not in pairs."""
    forest = kind(20, random_state=0).fit(ROWS, ROWS @ [1e9, -1, 1e-9, 0.3])

    def own(rows):
        return forest.predict(rows).reshape(-1, 1)

    way = direct.shortcut(forest, own, samples())
    assert way is not None
    for rows in samples():
        assert np.array_equal(way(rows), own(rows))


def test_a_negative_zero_is_answered_as_scikit_learn_does():
    forest = RandomForestRegressor(3, random_state=0).fit(ROWS, np.full(200, -0.0))
    way = direct.shortcut(forest, lambda rows: forest.predict(rows).reshape(-1, 1), samples())
    assert np.signbit(way(ROWS[:1])) == np.signbit(forest.predict(ROWS[:1]))


def test_a_forest_of_several_outputs_goes_its_own_way():
    forest = RandomForestRegressor(3, random_state=0).fit(ROWS, ROWS[:, :2])
    assert direct.shortcut(forest, forest.predict, samples()) is None


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [{1}, {FEW}, set(range(FEW + 1, 10 * FEW))])
def test_a_way_that_differs_by_a_bit_is_not_taken(monkeypatch, sizes):
    """For one row, for few and for many: each way is proven when a version is examined."""
    forest = RandomForestClassifier(5, random_state=0).fit(ROWS, CLASSES)
    flags = [f"flag {number}" for number in forest.classes_]
    contract = build_contract(dict.fromkeys("abcd", 0), flags)
    assert Scorer(contract, forest).has_shortcut
    shortcut_of = direct._shortcut_of

    def nearly(estimator):
        way = shortcut_of(estimator)
        return lambda rows: np.nextafter(way(rows), 2) if len(rows) in sizes else way(rows)

    monkeypatch.setattr(direct, "_shortcut_of", nearly)
    assert not Scorer(contract, forest).has_shortcut
