"""The traffic of each part of the last hour, day or year.

A part that is over is counted once. The figures of parts of an hour or more are kept in the
database: upkeep counts them before a person looks, and every worker finds them. In a busy part, an
even sample of the answers represents the whole.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django import db
from django.core.cache import cache
from django.db.models import Q, QuerySet

from predictor.log import history
from predictor.log.traffic import REQUESTS, SPANS, SampledAnswer, Span, Traffic
from predictor.log.uuid7 import EPOCH
from predictor.models import Prediction, TrafficFigures

MOST = 500  # sampled answers per part
_FEWEST = 100  # requests among them, or each kind is sampled separately
_FIELDS = ("model", "source", "items", "duration", "top_flag")  # of a SampledAnswer
_FILE = Q(source=Prediction.Source.CSV)
_KINDS = (_FILE, ~_FILE & Q(items__gt=1), ~_FILE & (Q(items=1) | Q(items=None)))
_SHORTEST_KEPT = timedelta(hours=1)
_SETTLED = timedelta(days=1)  # after which the spool should bring no late answer
_DAY = 86_400  # seconds
_OLDEST = timedelta(days=400)  # after which figures are deleted


def parts(span: Span) -> list[tuple[datetime, Traffic]]:
    """The parts of a span, each with its start; the last one is running."""
    now = datetime.now(UTC)
    starts = _starts(span, now)
    kept = _kept(span.part, starts)
    found = []
    for start in starts:
        is_over = start + span.part <= now
        found.append((start, kept.get(start) or _part(start, span.part, is_over=is_over)))
    return found


def keep_parts() -> int:
    """Keep the figures of all parts that are over, if they are missing or not settled.

    Returns the number of counted parts. Deletes figures more than a year old.
    """
    now = datetime.now(UTC)
    TrafficFigures.objects.filter(start__lt=now - _OLDEST).delete()
    looked = 0
    for span in SPANS.values():
        over = [start for start in _starts(span, now) if start + span.part <= now]
        if span.part < _SHORTEST_KEPT:
            continue
        known = TrafficFigures.objects.filter(seconds=_seconds(span.part), start__in=over)
        settled = {one.start for one in known if one.time >= one.start + span.part + _SETTLED}
        for start in [start for start in over if start not in settled]:
            _keep(start, span.part, _looked_up(start, span.part))
            looked += 1
    return looked


def _starts(span: Span, now: datetime) -> list[datetime]:
    this = now - (now - EPOCH) % span.part
    return [this - span.part * back for back in range(span.count - 1, -1, -1)]


def _kept(length: timedelta, starts: Sequence[datetime]) -> dict[datetime, Traffic]:
    rows = TrafficFigures.objects.filter(seconds=_seconds(length), start__in=starts)
    return {row.start: Traffic.from_json(row.figures) for row in rows}


def _keep(start: datetime, length: timedelta, traffic: Traffic) -> None:
    kept = {"time": datetime.now(UTC), "figures": traffic.as_json()}
    with suppress(db.Error):  # a full disk spoils the next look, not this one
        TrafficFigures.objects.update_or_create(kept, start=start, seconds=_seconds(length))


def _seconds(length: timedelta) -> int:
    return round(length.total_seconds())


def _part(start: datetime, length: timedelta, *, is_over: bool) -> Traffic:
    key = f"traffic:{start:%Y%m%d%H%M}:{_seconds(length)}"
    found: Traffic | None = cache.get(key) if is_over else None
    if found is None:
        found = _looked_up(start, length)
        if is_over and length < _SHORTEST_KEPT:
            cache.set(key, found, _DAY)
        elif is_over:
            _keep(start, length, found)
    return found


def _looked_up(start: datetime, length: timedelta) -> Traffic:
    rows = history.between(Prediction.objects.order_by(), start, start + length)
    traffic = Traffic(answers=rows.count())
    drawn = _drawn(rows, traffic.answers)
    requests = sum(answer.kind == REQUESTS for answer in drawn)
    if requests >= _FEWEST or len(drawn) == traffic.answers:
        _add(traffic, drawn, traffic.answers)
        return traffic
    for kind in _KINDS:  # separately, since files and arrays crowd out requests
        of_kind = rows.filter(kind)
        count = of_kind.count()
        _add(traffic, _drawn(of_kind, count), count)
    return traffic


def _drawn(rows: QuerySet[Prediction], count: int) -> list[SampledAnswer]:
    """``rows``, or an even sample of many; an index alone answers this."""
    if count > MOST:
        ids = list(history.sampled(rows, MOST, count=count).values_list("id", flat=True))
        rows = Prediction.objects.filter(id__in=ids).order_by()
    return [SampledAnswer(*row) for row in rows.values_list(*_FIELDS)]


def _add(traffic: Traffic, drawn: list[SampledAnswer], count: int) -> None:
    """Count the sampled answers, which represent ``count``."""
    for answer in drawn:
        traffic.add(answer, count / len(drawn))
