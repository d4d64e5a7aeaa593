"""The checks of an examination inside a loaded estimator, and its trial with rows."""

import math
import pickle

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeRegressor

from predictor.artifacts import direct
from predictor.artifacts.examination import examine
from predictor.artifacts.policy import Policy
from predictor.artifacts.scoring import FEW, Scorer
from predictor.artifacts.states import make_constant, restorer
from tests.artifacts.crafted import ROWS, version

CLASSES = (ROWS.sum(axis=1) % 3).astype(int)


def tried(monkeypatch, model, lookup):
    """Every value of the first feature that an examination scores."""
    values, ask = set(), Scorer._ask

    def spy(self, rows):
        values.update(row[0] for row in rows)
        return ask(self, rows)

    monkeypatch.setattr(Scorer, "_ask", spy)
    report = examine(version(model, lookup), Policy())
    assert report.reason == ""
    return values


def test_every_category_is_tried(monkeypatch):
    known = np.arange(300.0)[:, np.newaxis] ** 2
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), Ridge()).fit(known, known)
    assert set(known.ravel()) <= tried(monkeypatch, model, {"a": 0})


def test_both_sides_of_every_threshold_are_tried(monkeypatch):
    rows = np.random.default_rng(0).random((200, 1))
    model = DecisionTreeRegressor().fit(rows, rows.ravel())
    thresholds = model.tree_.threshold[model.tree_.children_left != -1].tolist()
    assert len(thresholds) > 100
    sides = {side for at in thresholds for side in (at, math.nextafter(at, math.inf))}
    assert sides <= tried(monkeypatch, model, {"a": 0})


def test_arrays_cannot_be_written_after_loading():
    line = LogisticRegression().fit(ROWS, CLASSES)
    pipeline = pickle.loads(pickle.dumps(make_pipeline(line)))
    make_constant(pipeline)
    with pytest.raises(ValueError, match="read-only"):
        pipeline[0].coef_[0] = 1.0
    assert (pipeline.predict(ROWS) == line.predict(ROWS)).all()


def test_a_forest_keeps_one_copy_of_its_trees():
    forest = RandomForestClassifier(7, random_state=0).fit(ROWS, CLASSES)
    right = {rows: forest.predict_proba(np.tile(ROWS, (40, 1))[:rows]) for rows in (1, FEW, 2_001)}
    way = direct.proven_before(forest)
    assert len(forest.estimators_) == 1
    for rows, scores in right.items():
        assert np.array_equal(way(np.tile(ROWS, (40, 1))[:rows]), scores)
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="too large"):
        forest.predict_proba(ROWS * 1e300)


def test_rows_of_callers_meet_in_no_estimator_of_the_authors():
    boosting = GradientBoostingRegressor(n_estimators=2).fit(ROWS, ROWS[:, 0])
    assert direct.proven_before(boosting)
    boosting = GradientBoostingRegressor(n_estimators=2, init=LinearRegression())
    assert direct.proven_before(boosting.fit(ROWS, ROWS[:, 0])) is None


def test_an_estimator_keeps_nothing_of_a_call():
    line = LinearRegression().fit(ROWS, ROWS[:, 0])
    pipeline = make_pipeline(line)
    restore = restorer(pipeline)
    before = dict(vars(line))
    vars(line).update(coef_=np.ones(4), remembered=ROWS)
    del line.intercept_
    restore()
    assert vars(line) == before


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\u3164"])
def test_invisible_characters_are_warned_of(hidden):
    line = LogisticRegression().fit(ROWS[:, :1], ROWS[:, 0] > 1)
    labels = {f"Got{hidden}ham": 0, "Metropolis": 1}
    report = examine(version(line, {"a": labels}, ["no", "yes"]), Policy())
    code = f"U+{ord(hidden):04X}"
    assert any("invisible" in said and code in said for said in report.warnings), report.warnings
    assert not any(hidden in said for said in report.warnings)


def test_what_is_seen_is_not_warned_of():
    line = LogisticRegression().fit(ROWS[:, :1], ROWS[:, 0] > 1)
    labels = {"Blüdhaven": 0, "रांची": 1, "東京 2": 2}
    report = examine(version(line, {"a": labels}, ["no", "yes"]), Policy())
    assert not any("invisible" in said for said in report.warnings)
