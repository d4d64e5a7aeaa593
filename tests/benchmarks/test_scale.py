"""The arithmetic of docs/scale.md, and how a script writes its tables into a page."""

import pytest

from benchmarks.document import write_tables
from benchmarks.scale.arithmetic import Replica, replica_of, sums
from benchmarks.scale.rows import WAYS, Way
from tests.servers import ROOT

REPLICA = Replica(per_second=1_000, processor=800, memory=100)


def results(**ways):
    every = {name: Way(name, 500, 10_000) for name in WAYS} | ways
    return {one.what: one.result for one in sums(REPLICA, every)}


def test_it_works():
    found = results(archive=Way("Parquet", 50, 2_000), read=Way("read", None, 1_000_000))
    assert found["processors that answer"] == "800"
    assert found["replicas"] == "1,429"  # a million / (1,000 * 0.7)
    assert found["their memory"] == "143 GB"
    assert found["connections to PostgreSQL"] == "17,143"
    assert found["connections that always write: copy"] == "100"
    assert found["a day: copy"] == "43.2 TB"  # 86.4 thousand million rows of 500 bytes
    assert found["a trillion rows: Parquet"] == "50 TB"
    assert found["processors that archive"] == "500"
    assert found["days until a trillion rows"] == "11.6"
    assert found["hours to count a column, 100 processors"] == "2.8"


def test_each_line_shows_the_figures_it_has_put_in():
    every = {name: Way(name, 512, 12_345) for name in WAYS}
    shown = {one.what: one.figures for one in sums(REPLICA, every)}
    assert shown["connections that always write: copy"] == "1,000,000 ÷ 12,345"
    assert shown["a trillion rows: archive"] == "1,000,000,000,000 × 512"


def test_a_replica_is_a_row_of_the_benchmark():
    for side in ("off", "sqlite", "postgres", "hundred", "thousand"):
        replica = replica_of(ROOT / "docs" / "benchmarks.md", side)
        assert replica.per_second > 0
        assert replica.processor > 100  # µs
        assert 10 < replica.memory < 10_000


def test_a_benchmark_without_that_row_is_named(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("| another side | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 |\n")
    with pytest.raises(ValueError, match="has no row of 'log off'"):
        replica_of(page, "off")


def test_tables_are_replaced_and_nothing_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- one -->\nold\n<!-- end of one -->\nafter\n")
    write_tables(page, "one", "new\n")
    assert page.read_text() == "before\n<!-- one -->\nnew\n<!-- end of one -->\nafter\n"
