"""``python -m benchmarks.month``: a month of traffic, outcomes and decisions against a real server.

A day is 400 requests, so that a month takes two minutes. A version that is as good is tried and
activated, one with swapped labels is tried, and one with the same answer for all is activated. The
commands are those a person would run; ``watch_models`` runs every evening.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.month.calendar import FEWEST_DAYS, Plan, live_through
from benchmarks.month.crimes import Crimes
from benchmarks.month.pictures import draw
from benchmarks.month.report import broken, lines


def main() -> int:
    """Print the numbers; 1 when one of the promises is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.month", description=__doc__)
    parser.add_argument("--days", type=int, default=Plan.days)
    parser.add_argument("--requests", type=int, default=Plan.requests, help="a day")
    parser.add_argument("--picture", type=Path, metavar="FILE.png", help="draw the month")
    given = parser.parse_args()
    if given.days < FEWEST_DAYS:
        parser.error(f"the decisions of a month need {FEWEST_DAYS} days")
    began, crimes = time.perf_counter(), Crimes()
    with tempfile.TemporaryDirectory(prefix="month-") as folder:
        month = live_through(Plan(given.days, given.requests), Path(folder), crimes)
    print("\n".join(lines(month)))
    print(f"It took {time.perf_counter() - began:.0f} s.")
    if given.picture:
        draw(month, crimes, given.picture)
    wrong = broken(month)
    for sentence in wrong:
        print(f"broken: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
