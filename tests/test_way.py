"""``scripts/way.py`` counts a request's files and calls in this tree."""

import subprocess
import sys

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.slow


def test_it_works():
    command = [sys.executable, ROOT / "scripts/way.py"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    counted = {
        kind.strip(): [int(number) for number in figures.split(",")]
        for _, kind, figures, _ in (row.split("|") for row in table.splitlines()[2:])
    }
    assert list(counted) == [
        "one JSON prediction", "one page POST", "one CSV row", "one activation", "one export",
    ]  # fmt: skip
    assert all(0 < files < calls for files, calls in counted.values())
    for kind, figures in counted.items():
        assert figures == pytest.approx(documented(kind), rel=0.1), kind


def documented(kind):
    """The figures of "now" in docs/architecture.md."""
    page = (ROOT / "docs/architecture.md").read_text()
    (row,) = [line for line in page.splitlines() if line.startswith(f"| {kind} |")]
    return [int(number) for number in row.split("|")[3].split(",")]
