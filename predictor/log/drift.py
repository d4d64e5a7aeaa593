"""Drift, from the log: whether inputs and answers still resemble a version's training data."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import db
from django.conf import settings
from django.db.models import Q, QuerySet

from predictor.artifacts.version import ModelVersion
from predictor.evidence.drift import (
    DAYS,
    FEWEST,
    FILES,
    FIRST,
    REQUESTS,
    Drift,
    Observations,
    asker,
    measure,
    not_compared,
    requests,
)
from predictor.evidence.populations import Observation
from predictor.log import history
from predictor.log.privacy import hashed_fields
from predictor.models import DriftFigures, Prediction

__all__ = ["FEWEST", "REQUESTS", "Drift", "drift", "measure_drift", "not_measured"]

MOST = 2_000  # answers of those days in the even sample
_KEPT = timedelta(minutes=5)  # for which a result is reused
_KEPT_OF_MANY = timedelta(hours=2)  # if it is from a sample: upkeep measures hourly
_OLDEST = timedelta(days=400)  # after which results are deleted
_SKEW = timedelta(minutes=1)  # between the clocks of two machines
_FIELDS = ("id", "source", "items", "inputs", "top_flag", "scores")
_FILE = Q(source=Prediction.Source.CSV)
_SOURCES = {FILES: _FILE, REQUESTS: ~_FILE}
_Row = tuple[Any, ...]  # of _FIELDS


def drift(model: ModelVersion) -> list[Drift]:
    """The drift of a version, the worst first; empty while it has too few answers.

    The last result of any process if it is recent, else measured now.
    """
    now = datetime.now(UTC)
    last = _days(model).filter(day__lte=now.date()).last()  # not those of a clock that was wrong
    if last is None or not now - _lifetime(last) <= last.time <= now + _SKEW:
        return keep_drift(model)
    return [_read(one) for one in last.figures]


def drift_by_day(model: ModelVersion, since: date) -> dict[date, list[Drift]]:
    """The drift of each day on which it was measured."""
    rows = _days(model).filter(day__gte=since)
    return {row.day: [_read(one) for one in row.figures] for row in rows}


def keep_drift(model: ModelVersion) -> list[Drift]:
    """Measure the drift as the log is now, and keep it for today. Old days are deleted."""
    now = datetime.now(UTC)
    found = measure_drift(model)
    kept = {
        "version": model.version,
        "time": now,
        "figures": [asdict(one) for one in found],
    }
    with suppress(db.Error):  # a full disk spoils the next look, not this one
        DriftFigures.objects.filter(day__lt=(now - _OLDEST).date()).delete()
        DriftFigures.objects.update_or_create(
            kept, sha256=model.sha256, model=model.name, day=now.date()
        )
    return found


def _days(model: ModelVersion) -> QuerySet[DriftFigures]:
    return DriftFigures.objects.filter(sha256=model.sha256, model=model.name).order_by("day")


def _lifetime(kept: DriftFigures) -> timedelta:
    most = max((one["answers"] for one in kept.figures), default=0)
    return _KEPT_OF_MANY if most >= MOST else _KEPT if most else timedelta(0)


def _read(kept: Mapping[str, Any]) -> Drift:
    return Drift(**{**kept, "shares": tuple(tuple(one) for one in kept["shares"])})


def measure_drift(model: ModelVersion) -> list[Drift]:
    """As ``drift``, always measured now; keeps nothing."""
    rows = Prediction.objects.filter(model=model.name, version=model.version)
    hashed = hashed_fields(model.name)
    return [
        one
        for who, asked in _observations_by_asker(rows).items()
        for one in measure(model, who, asked, hashed, settings.DRIFT_THRESHOLD)
    ]


def not_measured(model: ModelVersion) -> list[str]:
    """The features whose drift is not measured."""
    return not_compared(model, hashed_fields(model.name))


def _observations_by_asker(rows: QuerySet[Prediction]) -> dict[str, Observations]:
    """By kind of asker: the answers of the last days, and the version's first ones."""
    recent: dict[str, list[_Row]] = {}
    for days in DAYS:
        recent = _recent(history.between(rows, datetime.now(UTC) - timedelta(days=days)))
        if requests(map(_answer, recent.get(REQUESTS, []))) >= FEWEST:
            break
    return {who: _observations(found, rows.filter(_SOURCES[who])) for who, found in recent.items()}


def _recent(window: QuerySet[Prediction]) -> dict[str, list[_Row]]:
    """By kind of asker: rows of ``window``, sampled evenly if there are many."""
    found: dict[str, list[_Row]] = {}
    for row in _drawn(window):
        found.setdefault(_asker(row)[0], []).append(row)
    if FILES in found and requests(map(_answer, found.get(REQUESTS, []))) < FEWEST:
        found[REQUESTS] = _drawn(window.filter(_SOURCES[REQUESTS]))  # a large file crowds them out
    return found


def _drawn(rows: QuerySet[Prediction]) -> list[_Row]:
    # An index alone answers this. The ids go as values: planners overestimate a range of ids.
    ids = list(history.sampled(rows, MOST).values_list("id", flat=True))
    return list(Prediction.objects.filter(id__in=ids).order_by().values_list(*_FIELDS))


def _observations(now: list[_Row], rows: QuerySet[Prediction]) -> Observations:
    first = list(rows.order_by("id").values_list(*_FIELDS)[:FIRST])
    later = [row for row in now if row[0] > first[-1][0]]
    return Observations([*map(_answer, now)], [*map(_answer, first)], [*map(_answer, later)])


def _answer(row: _Row) -> Observation:
    _, _, _, inputs, top_flag, scores = row
    return Observation(inputs, top_flag, scores, _asker(row)[1])


def _asker(row: _Row) -> tuple[str, float]:
    """The kind of asker, and the answer's share of its request."""
    _, source, items, *_ = row
    return asker(source, items)
