"""Rows of the log for tests, made without a model."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from predictor.log.steps import step_of
from predictor.log.uuid7 import first_at
from predictor.log.writer.rows import COLUMNS, LogRow, json_text, time_text
from tests import bundles


def entry(moment: datetime | None = None, number: int = 0, **changed: Any) -> LogRow:
    """A row of the Arkham model at ``moment``, with ``number`` as the random part of its id."""
    identity = UUID(int=first_at(moment or datetime.now(UTC)).int + number)
    scores = changed.pop("scores", {"escapes": 0.25, "jailed": 0.75})
    values = {
        "id": identity.hex,
        "time": time_text(identity),
        "model": "arkham",
        "version": "1.0.0",
        "sha256": "0" * 64,
        "inputs": json_text(changed.pop("inputs", bundles.ITEM)),
        "scores": json_text(scores),
        "top_flag": max(scores, key=scores.get),
        "duration": 0.5,
        "source": "api",
        "caller": "",
        "reference": "",
        "trace": "",
        "items": 1,
        "top_score": max(scores.values()),
        "score_step": step_of(max(scores.values())),
    }
    return tuple((values | changed)[name] for name in COLUMNS)


def many(count: int, days: int = 30, seed: int = 6) -> Iterator[LogRow]:
    """``count`` rows of the last ``days`` days, the oldest first, as varied as real ones."""
    chance = random.Random(seed)
    start, step = datetime.now(UTC) - timedelta(days=days), timedelta(days=days) / count
    villains = list(bundles.LOOKUP["villain"])
    for number in range(count):
        share = chance.random()
        yield entry(
            start + step * number,
            number * 40_503 % 65_536,  # the last digits of the ids look random
            version="1.0.0" if number < count * 0.7 else "1.1.0",
            inputs={
                "city": chance.choice(bundles.CITIES),
                "villain": chance.choice(villains),
                "hour": chance.randrange(24),
            },
            scores={"escapes": share, "jailed": 1 - share},
            source="api" if chance.random() < 0.99 else "page",
            caller="0123456789abcdef",
            reference=f"case {number}" if number % 100 == 0 else "",
            duration=0.05 + chance.random(),
        )
