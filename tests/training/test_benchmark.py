"""python -m training.benchmark: how counting grows."""

import json

import pytest

from training import benchmark

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs():
    return benchmark.measure(20_000)


def test_it_works(runs):
    assert [run.times for run in runs] == [1, 2, 4]
    assert all(run.rows >= run.times * 20_000 for run in runs)
    assert all(0 < run.rows_per_second <= run.rows / run.seconds * 1.1 for run in runs)


def test_memory_does_not_grow_with_the_crimes(runs):
    once, _, four_times = runs
    assert once.megabytes <= 200
    assert four_times.megabytes <= once.megabytes + 10


def test_the_table_has_a_line_for_each_run(runs):
    assert benchmark.as_markdown(runs).count("\n") == 5
    assert f"| {runs[-1].rows:,} |" in benchmark.as_markdown(runs)


def test_it_prints_json(monkeypatch, capsys, runs):
    monkeypatch.setattr(benchmark, "measure", lambda rows: runs)
    benchmark.main(["--json"])
    assert [run["times"] for run in json.loads(capsys.readouterr().out)] == [1, 2, 4]
