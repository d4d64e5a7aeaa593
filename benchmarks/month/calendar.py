"""The month: the decisions of each day, its traffic, and ``watch_models`` in the evening."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.month.crimes import EQUAL, FIRST, MODEL, SAME_FOR_ALL, SWAPPED, Crimes
from benchmarks.month.service import Answer, Question, service_of
from predictor.evidence.sequences import Interval, PairedLosses
from tests.servers import batcomputer

FEWEST_DAYS = 6  # so that each decision has its own day
_CALLERS = 1_000
_REPORTED = 0.7  # share of cases whose outcome is reported
_SEED = 20


@dataclass(frozen=True)
class Plan:
    """The length of the month. A day is a number of requests; no clock decides anything."""

    days: int = 30
    requests: int = 400  # a day

    def on(self, share: float) -> int:
        """The day at this share of the month."""
        return round(self.days * share)

    @property
    def decisions(self) -> dict[int, list[tuple[str, ...]]]:
        """Commands by day; they run before the day's traffic."""
        return {
            0: [("activate_model", MODEL, FIRST)],
            self.on(0.1): [("try_model", MODEL, EQUAL, "--share", "20")],
            self.on(0.4): [("activate_model", MODEL, EQUAL, "--reason", "as good, and newer")],
            self.on(0.55): [("try_model", MODEL, SWAPPED, "--share", "5")],
            self.on(0.75): [("activate_model", MODEL, SAME_FOR_ALL, "--reason", "in a hurry")],
        }


@dataclass
class Month:
    """The results of the month."""

    plan: Plan
    answers: list[list[Answer]] = field(default_factory=list)  # by day
    said: list[str] = field(default_factory=list)  # output of watch_models, each evening
    on_record: dict[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        return sum(map(len, self.answers))

    @property
    def reported(self) -> int:
        return sum(answer.question.is_reported for day in self.answers for answer in day)

    def share(self, version: str) -> float:
        """The share of the month's requests that a version answered."""
        return sum(counts[version] for counts in self.by_version()) / self.asked

    def by_version(self) -> list[dict[str, int]]:
        """The number of requests that each version answered, by day."""
        counted: list[dict[str, int]] = []
        for day in self.answers:
            counts: dict[str, int] = defaultdict(int)
            for answer in day:
                counts[answer.version] += 1
            counted.append(counts)
        return counted

    def unfaithful(self) -> int:
        """How many callers got two versions within a day; decisions are made between days."""
        met: dict[tuple[int, str], set[str]] = defaultdict(set)
        for number, day in enumerate(self.answers):
            for answer in day:
                met[number, answer.question.caller].add(answer.version)
        return sum(len(versions) > 1 for versions in met.values())

    def rollbacks(self) -> list[dict[str, str]]:
        return [row for row in self.on_record["activations"] if row["kind"] == "rollback"]

    def evidence(self, new: str, old: str, crimes: Crimes) -> Iterator[tuple[int, Interval]]:
        """The interval from outcomes of two versions, by day, while the new one answered."""
        ours, theirs, losses = crimes.scores(new), crimes.scores(old), PairedLosses()
        there = [number for number, counts in enumerate(self.by_version()) if counts[new]]
        for number in range(min(there), max(there) + 1):
            for answer in self.answers[number]:
                case = answer.question.case
                if answer.question.is_reported:
                    losses.add(ours[case.row], theirs[case.row], case.truth)
            if interval := losses.interval():
                yield number, interval


def live_through(plan: Plan, folder: Path, crimes: Crimes) -> Month:
    """Run a server through the month; its files are in ``folder``.

    Raises RuntimeError when a request or a report fails.
    """
    month, models, chance = Month(plan), folder / "models", random.Random(_SEED)  # noqa: S311
    crimes.write(FIRST, models)
    settings: dict[str, Any] = {"DEFAULT_MODEL": MODEL, "AUTO_ROLLBACK": "true", "UPKEEP": "false"}
    with batcomputer(folder, models, **settings) as server, service_of(server) as service:
        for day in tqdm(range(plan.days), "living through", unit="day", disable=None):
            for command in plan.decisions.get(day, []):
                if not (models / MODEL / command[2]).exists():
                    crimes.write(command[2], models)
                service.decide(*command)
            month.answers.append(service.ask(_questions(crimes, chance, plan.requests)))
            month.said.append(service.watch())
        month.on_record = service.on_record()
    return month


def _questions(crimes: Crimes, chance: random.Random, count: int) -> list[Question]:
    return [
        Question(case, f"caller {chance.randrange(_CALLERS)}", chance.random() < _REPORTED)
        for case in crimes.draw(chance, count)
    ]
