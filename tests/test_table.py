"""The table: every answer computed once, kept in a file, the same to the bit."""

import itertools
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

from predictor.artifacts import tabulation
from predictor.artifacts import version as loading
from predictor.artifacts.contract import build_contract
from predictor.artifacts.policy import Policy
from predictor.artifacts.scoring import Scorer
from predictor.artifacts.table import Table, Tables
from predictor.artifacts.tabulation import tabulate
from predictor.artifacts.trial_rows import Grid, grid_of
from predictor.artifacts.version import load_version
from tests import bundles
from tests.sweeps import swept

PROGRAM = """
import sys
from pathlib import Path
from predictor.artifacts.policy import Policy
from predictor.artifacts.version import load_version

version = load_version(Path(sys.argv[1]), Policy(store=Path(sys.argv[2])))
print(version.score([(2, 3, 23)]), sorted({"numpy", "sklearn", "pandas"} & set(sys.modules)))
"""
ROWS = list(itertools.product(range(3), range(4), range(24)))


@pytest.fixture
def policy(tmp_path):
    return Policy(store=tmp_path / ".checked")


def contract(lookup=bundles.LOOKUP, metadata=bundles.METADATA):
    return build_contract(lookup, bundles.FLAGS, metadata)


ESTIMATORS = [
    bundles.fitted(),
    RandomForestClassifier(5, random_state=0).fit(ROWS, np.arange(len(ROWS)) % 3 == 0),
    KNeighborsClassifier().fit(ROWS, np.arange(len(ROWS)) % 5 < 2),
]


@pytest.mark.parametrize("estimator", swept({type(e).__name__: e for e in ESTIMATORS}, 1))
def test_it_works(tmp_path, policy, estimator):
    version = load_version(bundles.install(tmp_path, estimator=estimator), policy)
    assert isinstance(version.scorer, Table)
    assert version.scorer.kind == "probability"
    single = [estimator.predict_proba(np.array([row], dtype=float))[0].tolist() for row in ROWS]
    assert version.score(ROWS) == single
    assert [version.score([row])[0] for row in ROWS] == single


@pytest.mark.slow
def test_it_is_kept_in_a_file_that_is_enough_to_answer(tmp_path, policy):
    lookup = {"city": {city: np.int64(code) for code, city in enumerate(bundles.CITIES)},
              "villain": bundles.LOOKUP["villain"], "hour": np.int8(0)}  # fmt: skip
    folder = bundles.install(tmp_path, lookup=lookup, flags=np.array(bundles.FLAGS))
    version = load_version(folder, policy)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, folder, policy.store],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"{version.score([(2, 3, 23)])} []"


@pytest.mark.slow
def test_it_is_of_no_use_for_other_files(tmp_path, policy):
    first = load_version(bundles.install(tmp_path), policy)
    second = load_version(
        bundles.install(tmp_path, version="2.0.0", estimator=bundles.fitted(1)), policy
    )
    assert first.score(ROWS) != second.score(ROWS)


@pytest.mark.slow
def test_it_is_computed_again_when_its_file_is_damaged(tmp_path, policy):
    folder = bundles.install(tmp_path)
    right = load_version(folder, policy).score(ROWS)
    kept = next((tmp_path / ".checked").glob("*.table"))
    for damage in (b"", b"{}", kept.read_bytes()[:-8], kept.read_bytes()[:-1] + b"\0"):
        kept.write_bytes(damage)
        assert load_version(folder, policy).score(ROWS) == right
        assert len(Tables(policy.store, policy).find(kept.stem)) == 2 * len(ROWS)


def test_it_is_left_to_the_estimator_when_some_row_has_no_score(tmp_path, policy, monkeypatch):
    monkeypatch.setattr(loading, "tabulate_apart", lambda *_: memoryview(b"").cast("d"))
    folder = bundles.install(tmp_path)
    assert isinstance(load_version(folder, policy).scorer, Scorer)
    monkeypatch.undo()
    assert isinstance(load_version(folder, policy).scorer, Scorer)  # and it is not tried again


def test_it_asks_one_at_a_time_where_batches_differ(monkeypatch):
    monkeypatch.setattr(tabulation, "_PROOF", 0)  # no time to ask all of them to begin with
    grid = Grid(((0, 1), tuple(range(100))))

    class Rounding:
        def score(self, rows):
            return [[row[1] + 0.1 * (len(rows) > 1) * row[0]] for row in rows]

    scores = tabulate(grid, Rounding(), 10)
    assert list(scores) == [Rounding().score([row])[0][0] for row in grid.rows()]
    assert not tabulate(grid, Rounding(), 0)


def test_it_finds_the_one_row_that_differs_in_a_batch():
    """Four of the 288 rows of Arkham do, on some processors: a few dozen samples miss them."""
    grid = Grid((tuple(range(2)), tuple(range(300))))

    class Rounding:
        def score(self, rows):
            return [[row[1] + 0.1 * (len(rows) > 1 and row == (1, 57))] for row in rows]

    scores = tabulate(grid, Rounding(), 10)
    assert list(scores) == [float(row[1]) for row in grid.rows()]


def test_it_has_a_cell_for_every_row_the_encoder_lets_through():
    lookup = {"code": {"a": 1.5, "b": 1.5, "c": -2}, "size": 0}
    bounds = {"features": {"size": {"integer": True, "minimum": -1.5, "maximum": 1.2}}}
    assert grid_of(contract(lookup, bounds), 250_000) == Grid(((1.5, -2), (-1, 0, 1)))


@pytest.mark.parametrize(
    "bounds",
    [
        {},
        {"integer": True, "minimum": 0},
        {"minimum": 0, "maximum": 23},
        {"integer": True, "minimum": 0, "maximum": 1e300},
        {"integer": True, "minimum": 0, "maximum": 20_833},
    ],
)
def test_it_leaves_numbers_without_an_end_to_the_estimator(bounds):
    assert grid_of(contract(metadata={"features": {"hour": bounds}}), 250_000) is None


def test_it_leaves_more_rows_than_the_setting_allows_to_the_estimator(tmp_path, policy):
    folder = bundles.install(tmp_path)
    assert isinstance(load_version(folder, replace(policy, cells=len(ROWS) - 1)).scorer, Scorer)
    assert isinstance(load_version(folder, replace(policy, cells=len(ROWS))).scorer, Table)
