"""A month of a log for the pictures of admin: a police force and a museum ask.

Runs in Django's shell (``benchmarks.filling.run``): ``fill()``. The answers are the models' own,
the outcomes are drawn by them.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from predictor.artifacts.version import ModelVersion, load_version
from predictor.log.uuid7 import first_at
from predictor.log.writer.rows import LogRow
from predictor.log.writer.store import Store
from predictor.models import Outcome, Refusal
from tests.log.entries import entry

DAYS = 30
# requests of a working day by hour, from midnight
_BY_HOUR = [2, 1, 1, 1, 1, 2, 5, 12, 24, 32, 34, 31, 26, 30, 33, 30, 25, 18, 12, 9, 7, 5, 4, 3]
_CALLERS = {"crime": ["records", "triage", "night"], "titanic": ["kiosk"]}
_MODELS = ["crime"] * 5 + ["titanic"]
_MISSPELT = [("force", "Met Police", 9), ("crime", "Car theft", 4), ("force", "Kent", 2)]


@dataclass(frozen=True)
class _Question:
    """A request of the month, not answered yet."""

    moment: datetime
    number: int  # of the hour, so that no two ids are equal
    model: str
    item: dict[str, Any]


def fill() -> None:
    """Record the month, its outcomes and its refusals."""
    chance, store = random.Random(1939), Store(connection)
    models = {name: load_version(Path(settings.MODELS_DIR) / name / "1.0.0") for name in _CALLERS}
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    asked = [
        question
        for age in range(DAYS, -1, -1)
        for question in _questions(models, today - timedelta(days=age), chance)
    ]
    outcomes = []
    for name, model in models.items():
        ours = [question for question in asked if question.model == name]
        rows = [model.encoder.encode(question.item) for question in ours]
        answers = list(zip(ours, model.score(rows), strict=True))  # all at once
        store.insert([_row(model, *answer, chance) for answer in answers], None)
        outcomes += [
            _outcome(model, *answer, chance)
            for answer in answers
            if answer[0].moment < today - timedelta(days=1) and chance.random() < 0.55
        ]
    Outcome.objects.bulk_create(outcomes, batch_size=500)
    for age in range(DAYS):
        _refuse(today - timedelta(days=age), chance)


def _questions(
    models: dict[str, ModelVersion], day: datetime, chance: random.Random
) -> Iterator[_Question]:
    busy = 0.35 if day.weekday() > 4 else chance.uniform(0.85, 1.1)
    for hour, usual in enumerate(_BY_HOUR):
        for number in range(round(usual * busy)):
            moment = day + timedelta(hours=hour, seconds=chance.uniform(0, 3_600))
            if moment < datetime.now(UTC):
                name = chance.choice(_MODELS)
                yield _Question(moment, number, name, _item(models[name], chance))


def _row(
    model: ModelVersion, question: _Question, scores: Sequence[float], chance: random.Random
) -> LogRow:
    page, moment = chance.random() < 0.06, question.moment
    order = f"{moment:%m%d}-{chance.randrange(9_999):04}"
    return entry(
        moment, question.number,
        model=model.name, version=model.version, sha256=model.sha256, inputs=question.item,
        scores=dict(zip(model.contract.flag_names, map(float, scores), strict=True)),
        source="page" if page else "api", reference="" if page else order,
        caller="9c1185a5c5e9fc54" if page else chance.choice(_CALLERS[model.name]),
        duration=0.12 + chance.lognormvariate(-2.4, 0.6),
    )  # fmt: skip


def _outcome(
    model: ModelVersion, question: _Question, scores: Sequence[float], chance: random.Random
) -> Outcome:
    """What happened, as likely as the answer says."""
    return Outcome(
        prediction_id=UUID(int=first_at(question.moment).int + question.number),
        model=model.name, version=model.version,
        flag=chance.choices(model.contract.flag_names, scores)[0],
    )  # fmt: skip


def _item(model: ModelVersion, chance: random.Random) -> dict[str, Any]:
    return {name: _value(model, name, chance) for name in model.contract.params()}


def _value(model: ModelVersion, name: str, chance: random.Random) -> Any:
    """As frequent as in the training data where its shares are known."""
    shares = model.metadata["baseline"].get(name) or dict.fromkeys(model.contract.params()[name], 1)
    value = chance.choices(list(shares), list(shares.values()))[0]
    return int(value) if name == "month" else value


def _refuse(day: datetime, chance: random.Random) -> None:
    for field, value, most in _MISSPELT:
        if count := chance.randrange(most):
            about = {"model": "crime", "field": field, "value": value}
            Refusal.objects.create(day=day.date(), kind="unknown label", count=count, **about)
            wrong, _ = Refusal.objects.get_or_create(
                day=day.date(), kind="status 400", defaults={"count": 0}
            )
            wrong.count += count
            wrong.save()
