"""Numbers in sentences and tables: one of a thing, and figures of every size."""

import re
from pathlib import Path

import pytest

from predictor.artifacts.figures import counted, figures

ROOT = Path(__file__).parents[2]
# "{…:,} outcomes" and "{len(…)} columns": right for all numbers but one
BARE = re.compile(
    r"\{(?:len\([^{}]*\)|[^{}]*:,)\} (?:older |logged )?"
    r"(outcomes|answers|rows|predictions|cases|files|inputs)\b"
)
MANY = (  # sentences that are always about more than one
    "more than", "the first {", "its first {", "rows count as", "1 to {", "inputs have", "rows get",
)  # fmt: skip


def test_it_works():
    assert [counted(n, "outcome") for n in (0, 1, 1204)] == ["0 outcomes", "1 outcome",
                                                            "1,204 outcomes"]  # fmt: skip
    assert counted(1, "row was", "rows were") == "1 row was"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0.0000"), (0.5, "0.5000"), (-0.04166, "-0.0417"), (1, "1.0000"), (0.9999, "0.9999"),
        (12.345678, "12.346"), (-1234.5678, "-1,234.6"), (1234567.8, "1,234,568"),
        (3.1234e-6, "3.123e-06"), (0.00049, "0.00049"), (2.5e15, "2.5e+15"),
        (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_figures_of_every_size_say_something(number, shown):
    assert figures(number) == shown


def test_no_sentence_says_one_outcomes():
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("predictor", "batclient")
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text().splitlines()
        if BARE.search(line) and not any(many in line for many in MANY)
    ]
    assert found == []
