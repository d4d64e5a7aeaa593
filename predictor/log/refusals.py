"""Counts what was wrong with requests: which field, which unknown label, how often.

Each process gathers counts and adds them to the database every few seconds. They are statistics,
not a record: a killed process loses its last ones. Both places are bounded.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.models import F

from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.errors import FieldError
from predictor.artifacts.untrusted import shown
from predictor.log.privacy import is_kept_as_it_is
from predictor.models import Refusal
from predictor.monitoring import metrics

logger = logging.getLogger(__name__)

FAILED = "failed answer"  # the value is the version
OTHER = "(other)"  # stands for everything beyond the bounds
MAX_GATHERED = 500  # different refusals between two flushes of a process
MAX_KEPT = 2_000  # different refusals per day in the database
_PAUSE = 5  # seconds between flushes
_MAX_TEXT = 100  # characters of a caller's text


class Key(NamedTuple):
    """One kind of refusal, with its place and value."""

    day: date
    kind: str
    model: str = ""
    field: str = ""
    value: str = ""


_gathered: Counter[Key] = Counter()
_lock = threading.Lock()
_flusher: threading.Thread | None = None


def note_fields(model: str, contract: Contract, item: Any, errors: Iterable[FieldError]) -> None:
    """Count the fields of ``item`` that failed validation."""
    features = {feature.name: feature for feature in contract.features}
    for error in errors:
        feature = features.get(error.field)
        kind, text = _kind(feature, item, error.field)
        field = feature.name if feature else ""
        if not is_kept_as_it_is(model, field):
            text = ""  # a mistyped label reveals as much as a correct one
        metrics.REFUSED_FIELDS.labels(model, field, kind).inc()
        note(kind, model, field, text)


def _kind(feature: Feature | None, item: Any, field: str) -> tuple[str, str]:
    """What is wrong with a field of ``item``, and the offending text."""
    if not isinstance(item, dict):
        return "no object", ""
    if feature is None:
        return "unknown field", field
    if field not in item:
        return "missing field", ""
    if feature.is_choice and isinstance(item[field], str):
        return "unknown label", item[field]
    return "wrong value", ""


def note(kind: str, model: str = "", field: str = "", value: str = "") -> None:
    """Count one refusal."""
    text = shown(value, _MAX_TEXT)
    key = Key(datetime.now(UTC).date(), kind, model, field[:_MAX_TEXT], text)
    with _lock:
        if key not in _gathered and len(_gathered) >= MAX_GATHERED:
            key = Key(key.day, kind, value=OTHER)
        _gathered[key] += 1
    _flush_soon()


def flush() -> None:
    """Add the counts to the database; if it fails, keep them for the next time."""
    with _lock:
        taken = dict(_gathered)
        _gathered.clear()
    for key in list(taken):
        try:
            _add(key, taken[key])
        except DatabaseFailure as error:
            logger.warning("counts of refused requests wait for the database: %s", error)
            break
        del taken[key]
    with _lock:
        _gathered.update(taken)


def _add(key: Key, count: int) -> None:
    if _added(key, count):
        return
    if Refusal.objects.filter(day=key.day).count() >= MAX_KEPT:
        key = Key(key.day, key.kind, value=OTHER)
        if _added(key, count):
            return
    _, is_new = Refusal.objects.get_or_create(**key._asdict(), defaults={"count": count})
    if not is_new:  # another worker created the row first
        _added(key, count)


def _added(key: Key, count: int) -> bool:
    return bool(Refusal.objects.filter(**key._asdict()).update(count=F("count") + count))


def _flush_soon() -> None:
    global _flusher  # noqa: PLW0603 - one per process
    with _lock:
        if _flusher is None:
            _flusher = threading.Thread(target=_flush_later, name="count refusals", daemon=True)
            _flusher.start()


def _flush_later() -> None:
    global _flusher  # noqa: PLW0603
    time.sleep(_PAUSE)
    with _lock:
        _flusher = None  # the next refusal starts another flusher
    try:
        flush()
    finally:
        connection.close()
