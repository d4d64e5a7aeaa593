"""How many recorded outcomes prove a version worse: ``python -m benchmarks.outcomes CASES.CSV``.

The table of docs/loop.md. Outcomes are drawn from a version's cases, as frequent as they really
were. The version before is the twin, which has not learnt them; three worse ones replace it, and
the intervals are checked after every tenth outcome.
"""

import argparse
import random
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from predictor.evidence.answers import names_in
from predictor.evidence.cases import TWIN, Cases, Numbers, read_cases
from predictor.evidence.sequences import MARGIN, PairedLosses

_EVERY = 10  # outcomes between two checks
_MOST = 100_000  # outcomes; a run that needs more counts as this many


def main() -> None:
    """Print a row for each worse version, with the median over runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--runs", type=int, default=21)
    given = parser.parse_args()
    data = given.cases.read_bytes()
    cases = read_cases(data, *names_in(data))
    for name, worse in _worse(cases).items():
        needed = [_needed(cases, worse, seed) for seed in range(given.runs)]
        both = [statistics.median(column) for column in zip(*needed, strict=True)]
        print(f"| {name} | {both[0]:,.0f} | {both[1]:,.0f} |")


def _worse(cases: Cases) -> Mapping[str, Sequence[Numbers]]:
    swapped = [tuple(reversed(scores)) for scores in cases.scores[TWIN]]
    others = {name: cases.scores[name] for name in ("constant", "crime rates")}
    return {"swapped labels": swapped, **others}


def _needed(cases: Cases, worse: Sequence[Numbers], seed: int) -> tuple[int, int]:
    """The outcomes needed until the interval of log loss proves it, and that of the Brier score."""
    draw = random.Random(seed)  # noqa: S311 - the same outcomes every time
    weights = [count for counts in cases.counts for count in counts]
    flags, losses, found = len(cases.flags), PairedLosses(), [_MOST, _MOST]
    while losses.count < _MOST and _MOST in found:
        for place in draw.choices(range(len(weights)), weights, k=_EVERY):
            at, truth = divmod(place, flags)
            ours, theirs = (
                dict(zip(cases.flags, scores[at], strict=True))
                for scores in (worse, cases.scores[TWIN])
            )
            losses.add(ours, theirs, cases.flags[truth])
        for which, interval in enumerate((losses.interval(), losses.strict_interval())):
            if interval and interval.worse_by(MARGIN):
                found[which] = min(found[which], losses.count)
    return found[0], found[1]


if __name__ == "__main__":
    main()
