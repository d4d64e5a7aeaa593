"""Whether a version is asked, and answers, otherwise than it was trained for: from the log."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q, QuerySet

from predictor.artifacts.version import ModelVersion
from predictor.evidence.drift import FEWEST, FILES, REQUESTS, Answer, Asked, Drift, measure
from predictor.log import history
from predictor.models import Prediction

DAYS = (7, 28)  # that are looked at: the shorter where enough was asked in them
FIRST = 1_000  # the version's first answers, where there is no baseline
LOOKED_AT = 20_000  # answers of those days, drawn evenly
MOST = 2_000  # of them that are compared, of requests and of files
_KEPT = 300  # seconds a result is good for
_FIELDS = ("id", "source", "items", "inputs", "top_flag", "scores")
_FILE = Q(source=Prediction.Source.CSV)
_SOURCES = {FILES: _FILE, REQUESTS: ~_FILE}


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
    prefix = f"{model.name}."
    hashed = {f.removeprefix(prefix) for f in settings.LOG_HASHES if f.startswith(prefix)}
    return [
        one
        for who, asked in _asked(rows).items()
        for one in measure(model, who, asked, hashed, settings.DRIFT_THRESHOLD)
    ]


def _asked(rows: QuerySet[Prediction]) -> dict[str, Asked]:
    """By who asked: the answers of the last days, and the version's first ones."""
    ids: dict[str, list[UUID]] = {}
    for days in DAYS:
        ids, requests = _recent(rows, datetime.now(UTC) - timedelta(days=days))
        if round(requests[REQUESTS]) >= FEWEST:
            break
    return {who: _of(rows.filter(_SOURCES[who]), found) for who, found in ids.items()}


def _recent(
    rows: QuerySet[Prediction], since: datetime
) -> tuple[dict[str, list[UUID]], dict[str, float]]:
    """By who asked: ids of answers since then, drawn evenly, and how many requests they are."""
    window = history.sampled(history.between(rows, since), LOOKED_AT)
    ids: dict[str, list[UUID]] = {}
    requests = dict.fromkeys(_SOURCES, 0.0)
    drawn = list(window.values_list("id", flat=True))  # an index alone knows them
    light = Prediction.objects.filter(id__in=drawn).values_list("id", "source", "items")
    for identity, source, items in light.order_by("id"):
        who, weight = _who(source, items)
        ids.setdefault(who, []).append(identity)
        requests[who] += weight
    return ids, requests


def _of(rows: QuerySet[Prediction], ids: list[UUID]) -> Asked:
    """The answers of ``ids``, of many an even part, beside the first of ``rows``."""
    first = list(rows.order_by("id").values_list(*_FIELDS)[:FIRST])
    thinned = ids[:: -(-len(ids) // MOST)]
    now = list(rows.filter(id__in=thinned).values_list(*_FIELDS))
    later = [row for row in now if row[0] > first[-1][0]]
    return Asked([*map(_answer, now)], [*map(_answer, first)], [*map(_answer, later)])


def _answer(row: tuple[Any, ...]) -> Answer:
    _, source, items, inputs, top_flag, scores = row
    return Answer(inputs, top_flag, scores, _who(source, items)[1])


def _who(source: str, items: int | None) -> tuple[str, float]:
    """Who asked, and how much of a request an answer is; releases before 1.1 kept no items."""
    return (FILES, 1.0) if source == Prediction.Source.CSV else (REQUESTS, 1 / (items or 1))
