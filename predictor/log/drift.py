"""Whether a version is asked, and answers, otherwise than it was trained for: from the log."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q, QuerySet

from predictor.artifacts.version import ModelVersion
from predictor.evidence.drift import (
    DAYS,
    FEWEST,
    FILES,
    FIRST,
    REQUESTS,
    Answer,
    Asked,
    Drift,
    asker,
    measure,
    not_compared,
    requests,
)
from predictor.log import history
from predictor.log.privacy import hashed_fields
from predictor.models import Prediction

__all__ = ["FEWEST", "REQUESTS", "Drift", "drift", "left_alone", "measure_drift"]

MOST = 2_000  # answers of those days that are looked at, drawn evenly
_KEPT = 300  # seconds a result is good for
_FIELDS = ("id", "source", "items", "inputs", "top_flag", "scores")
_FILE = Q(source=Prediction.Source.CSV)
_SOURCES = {FILES: _FILE, REQUESTS: ~_FILE}
_Row = tuple[Any, ...]  # of _FIELDS


def drift(model: ModelVersion) -> list[Drift]:
    """The drift of a version, the worst first; empty while it has too few answers. Kept a while."""
    key = f"drift:{model.name}:{model.sha256}"
    found: list[Drift] | None = cache.get(key)
    if found is None:
        found = measure_drift(model)
        cache.set(key, found, _KEPT)
    return found


def measure_drift(model: ModelVersion) -> list[Drift]:
    """As ``drift``, from the log as it is now."""
    rows = Prediction.objects.filter(model=model.name, version=model.version)
    hashed = hashed_fields(model.name)
    return [
        one
        for who, asked in _asked(rows).items()
        for one in measure(model, who, asked, hashed, settings.DRIFT_THRESHOLD)
    ]


def left_alone(model: ModelVersion) -> list[str]:
    """The features of which no drift is measured."""
    return not_compared(model, hashed_fields(model.name))


def _asked(rows: QuerySet[Prediction]) -> dict[str, Asked]:
    """By who asked: the answers of the last days, and the version's first ones."""
    recent: dict[str, list[_Row]] = {}
    for days in DAYS:
        recent = _recent(history.between(rows, datetime.now(UTC) - timedelta(days=days)))
        if requests(map(_answer, recent.get(REQUESTS, []))) >= FEWEST:
            break
    return {
        who: _beside_the_first(found, rows.filter(_SOURCES[who])) for who, found in recent.items()
    }


def _recent(window: QuerySet[Prediction]) -> dict[str, list[_Row]]:
    """By who asked: rows of ``window``, of many an even part."""
    found: dict[str, list[_Row]] = {}
    for row in _drawn(window):
        found.setdefault(_who(row)[0], []).append(row)
    if FILES in found and requests(map(_answer, found.get(REQUESTS, []))) < FEWEST:
        found[REQUESTS] = _drawn(window.filter(_SOURCES[REQUESTS]))  # a large file crowds them out
    return found


def _drawn(rows: QuerySet[Prediction]) -> list[_Row]:
    # An index alone knows them; as values, since planners take a range of ids for more than it is.
    ids = list(history.sampled(rows, MOST).values_list("id", flat=True))
    return list(Prediction.objects.filter(id__in=ids).order_by().values_list(*_FIELDS))


def _beside_the_first(now: list[_Row], rows: QuerySet[Prediction]) -> Asked:
    first = list(rows.order_by("id").values_list(*_FIELDS)[:FIRST])
    later = [row for row in now if row[0] > first[-1][0]]
    return Asked([*map(_answer, now)], [*map(_answer, first)], [*map(_answer, later)])


def _answer(row: _Row) -> Answer:
    _, _, _, inputs, top_flag, scores = row
    return Answer(inputs, top_flag, scores, _who(row)[1])


def _who(row: _Row) -> tuple[str, float]:
    """Who asked, and how much of a request the answer is."""
    _, source, items, *_ = row
    return asker(source, items)
