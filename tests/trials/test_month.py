"""A shorter month of docs/loop.md: an equal version stays, and bad ones end automatically."""

import pytest

from benchmarks.month.calendar import Plan, live_through
from benchmarks.month.crimes import Crimes
from benchmarks.month.pictures import draw
from benchmarks.month.report import broken, lines

pytestmark = pytest.mark.slow


def test_it_works(tmp_path):
    crimes = Crimes()
    month = live_through(Plan(days=6, requests=250), tmp_path, crimes)
    assert broken(month) == []
    said = "\n".join(lines(month))
    assert "on record: 1,500 answers" in said
    assert "its trial was ended" in said
    assert "rolled back to 1.1.0" in said
    draw(month, crimes, tmp_path / "month.png")
    assert (tmp_path / "month.png").stat().st_size > 10_000

    month.on_record["activations"] += month.rollbacks()
    assert broken(month) == ["3.0.0 is rolled back to 1.1.0, once"]
