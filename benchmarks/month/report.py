"""The results of the month in numbers and sentences, and the promises it must keep."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.month.calendar import Month
from benchmarks.month.crimes import EQUAL, SAME_FOR_ALL, SWAPPED, TITLES

MOST = 0.02  # of the month's requests that a bad candidate may answer


def broken(month: Month) -> list[str]:
    """The promises that the month did not keep."""
    record, kinds = month.on_record, [row["kind"] for row in month.on_record["alarms"]]
    trials = {row["version"]: row for row in record["trials"]}
    checks = {
        "every answer and outcome is on record, once": (record["answers"], record["outcomes"])
        == (month.asked, month.reported),
        "one caller meets one version": month.unfaithful() == 0,
        f"{EQUAL}, as good, is tried until a person decides": trials[EQUAL]["ended_by"]
        != "watch_models",
        f"the trial of {SWAPPED} is ended by its outcomes": trials[SWAPPED]["ended_by"]
        == "watch_models",
        f"{SWAPPED} answers less than {MOST:.0%} of the month": month.share(SWAPPED) < MOST,
        f"{SAME_FOR_ALL} is rolled back to {EQUAL}, once": [
            (row["version"], row["by"]) for row in month.rollbacks()
        ]
        == [(EQUAL, "watch_models")],
        "there is one alarm for each bad version": kinds == ["trial worse", "active worse"],
    }  # fmt: skip
    return [sentence for sentence, holds in checks.items() if not holds]


def lines(month: Month) -> Iterator[str]:
    """The numbers, then the decisions and findings by day."""
    plan, record = month.plan, month.on_record
    yield f"{plan.days} days of {plan.requests} requests: {month.asked:,} answers"
    yield f"on record: {record['answers']:,} answers, {record['outcomes']:,} outcomes"
    yield f"{month.unfaithful()} callers met two versions within a day"
    for version, title in TITLES.items():
        yield f"{version} ({title}) answered {month.share(version):.2%}"
    for day, commands in sorted(plan.decisions.items()):
        yield from (f"day {day + 1}, a person: {' '.join(command)}" for command in commands)
    for day, said in enumerate(month.said, start=1):
        news = [line for line in said.splitlines() if line not in month.said[max(day - 2, 0)]]
        yield from (f"day {day}, watch_models: {line}" for line in news)
