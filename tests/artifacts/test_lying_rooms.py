"""The process that examines a version ran its code, so its report cannot be trusted."""

import json
import struct
from dataclasses import asdict

import pytest

from predictor.artifacts import version
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.policy import Policy, TaskResult
from predictor.artifacts.quarantine import examine_apart, tabulate_apart
from predictor.artifacts.report_store import Report
from predictor.artifacts.version import load_version
from tests import bundles

HONEST = asdict(Report(scores="probability", flags=bundles.FLAGS, trial=[0, 0, 3]))
CELLS = 3 * 4 * 24 * 2
TABLE = struct.pack(f"{CELLS}d", *[0.5] * CELLS)


class Liar:
    """A room that returns a prepared report."""

    def __init__(self, report, table=TABLE):
        self.report, self.table = report, table

    def run(self, task, files, policy, report=None):
        if task == "tabulate":
            return TaskResult(files.fingerprint.encode() + self.table, 0)
        return TaskResult(json.dumps(self.report | {"sha256": files.fingerprint}).encode(), 0)

    def scorer(self, *_):
        raise ArtifactError("the estimator is asked")


@pytest.fixture(autouse=True)
def in_the_room(monkeypatch, examined_here):
    monkeypatch.setattr(version, "examine_apart", examine_apart)
    monkeypatch.setattr(version, "tabulate_apart", tabulate_apart)


def loaded(tmp_path, room):
    return load_version(bundles.install(tmp_path), Policy(store=tmp_path / ".checked", room=room))


def test_it_works(tmp_path):
    assert loaded(tmp_path, Liar(HONEST)).score([(0, 0, 3)]) == [[0.5, 0.5]]


@pytest.mark.parametrize(
    "lie",
    [
        {"kinds": [1]}, {"kinds": {"hour": 5}}, {"kinds": {"hour": {"type": "exec"}}},
        {"kinds": {"hour": {"type": []}}}, {"kinds": {"": "x"}}, {"flags": 5}, {"flags": [1, None]},
        {"scores": "<script>"}, {"scores": {}}, {"warnings": 5}, {"warnings": [{}]}, {"notes": 7},
        {"reason": []}, {"trial": "abc"}, {"versions": 3}, {"checked": {}}, {"seconds": "x"},
        {"estimator": ["x"]}, {"more": 1}, {"pairing": [1]}, {"shortcut": "yes"},
    ],
    ids=str,
)  # fmt: skip
def test_it_rejects_a_report_that_is_none(tmp_path, lie):
    with pytest.raises(ArtifactError, match=r"answer is not a report|about no such features"):
        loaded(tmp_path, Liar(HONEST | lie))


@pytest.mark.parametrize(
    "table",
    [b"abc", struct.pack("d", 1), struct.pack(f"{CELLS}d", *[float("nan")] * CELLS),
     struct.pack(f"{CELLS}d", *[float("inf")] * CELLS), bytes(CELLS * 9)],
    ids=["three bytes", "one cell", "NaN", "infinite", "too many"],
)  # fmt: skip
def test_a_table_that_is_none_is_not_answered_from(tmp_path, table):
    with pytest.raises(ArtifactError, match="the estimator is asked"):
        loaded(tmp_path, Liar(HONEST, table))
