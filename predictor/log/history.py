"""Reads the log, always through an index: it never counts or scans all rows.

A million rows are normal. A query that an index serves covers the whole log. One that no index
serves (text in the inputs, several filters at once) searches WINDOW rows of a query that one does,
and the page says how far back it searched.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import CharField, Model, Q, QuerySet
from django.db.models.functions import Cast, Right

from predictor.log.steps import step_of
from predictor.log.uuid7 import EPOCH, first_at, time_of
from predictor.models import Prediction

_Row = TypeVar("_Row", bound=Model)
Case = Prediction  # a row, for modules that read no other table

WINDOW = 20_000  # rows
MAX_CHOICES = 200  # versions, or flags, offered as a filter
_DIGITS = 4  # of an id, hexadecimal: a sample's share is a multiple of 1 in 65,536
_CHUNK = 2_000  # rows read at a time when all are read


class Position(NamedTuple):
    """A row's place in a sort order of the log."""

    id: UUID
    score: float | None = None  # the top score, if rows are sorted by it

    def __str__(self) -> str:
        return str(self.id) if self.score is None else f"{self.score!r}_{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Position | None":
        """The place that str() wrote as ``text``, or None."""
        score, _, identity = text.rpartition("_")
        try:
            return cls(UUID(identity), float(score) if score else None)
        except ValueError:
            return None


@dataclass(frozen=True)
class SortOrder:
    """An order that an index serves: by time, or by top score and then time."""

    by_score: bool = False
    falling: bool = True  # the newest or the highest first

    @property
    def reversed(self) -> "SortOrder":
        return replace(self, falling=not self.falling)

    def sorted(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """``rows`` in this order; if by score, without the rows whose score is unknown."""
        sign = "-" if self.falling else ""
        if not self.by_score:
            return rows.order_by(f"{sign}pk")
        order = [f"{sign}{field}" for field in ("score_step", "top_score", "pk")]
        return rows.filter(score_step__isnull=False).order_by(*order)

    def after(self, rows: QuerySet[Any], place: Position, *, itself: bool = False) -> QuerySet[Any]:
        """The ``rows`` after ``place``; with ``itself`` also the row at that place."""
        beyond = "lt" if self.falling else "gt"
        later = {f"pk__{beyond}{'e' if itself else ''}": place.id}
        if place.score is None:
            return rows.filter(**later)
        same, further = Q(top_score=place.score, **later), {f"top_score__{beyond}": place.score}
        # the index serves the second condition; the first separates rows of one step
        return rows.filter(same | Q(**further), **{f"score_step__{beyond}e": step_of(place.score)})

    def places(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The places of ``rows``, in this order; an index alone answers this."""
        return self.sorted(rows).values_list(*(("pk", "top_score") if self.by_score else ("pk",)))


NEWEST = SortOrder()


class Start(NamedTuple):
    """Where a page of the log begins: after a place, or before it when paging back."""

    order: SortOrder = NEWEST
    place: Position | None = None  # None: at the first row
    is_back: bool = False


@dataclass(frozen=True)
class Page:
    """Rows in order, and the places of the pages before and after."""

    rows: list[Prediction]
    back: Position | None  # rows before this place are on earlier pages; None: this is the first
    on: Position | None  # rows after this place are on later pages; None: this is the last
    looked_to: Position | None  # where a bounded search stopped before the page was full


def find(model: str, identity: UUID) -> Case | None:
    """The row with that id and its outcome, if the row belongs to the model."""
    rows = Prediction.objects.select_related("outcome")
    return rows.filter(id=identity, model=model).first()


def read_page(
    rows: QuerySet[Prediction],
    size: int,
    start: Start = Start(),  # noqa: B008 - immutable
    within: QuerySet[Any] | None = None,
) -> Page:
    """``size`` of ``rows`` from ``start`` on.

    ``rows`` are searched for among at most WINDOW rows of ``within``: rows, or outcomes of rows,
    that an index serves. None: an index serves ``rows`` directly.
    """
    order, place, is_back = start
    if is_back:
        page = read_page(rows, size, Start(order.reversed, place), within)
        last = _place(page.rows[0], order) if page.rows else place
        return Page(page.rows[::-1], page.on, last, None)
    end = _window_end(within, place, order)
    if place is not None:
        rows = order.after(rows, place)
    if end is not None:
        rows = order.reversed.after(rows, end, itself=True)
    found = _found(order.places(rows), size + 1)
    shown = found[:size]
    is_full = len(found) > size
    on = _place(shown[-1], order) if is_full else end
    back = None if place is None else (_place(shown[0], order) if shown else place)
    return Page(shown, back, on, None if is_full else end)


def _place(row: Prediction, order: SortOrder) -> Position:
    return Position(row.id, row.top_score if order.by_score else None)


def _found(places: QuerySet[Any], count: int) -> list[Prediction]:
    """The rows at the first ``count`` places."""
    ids = [place[0] for place in places[:count]]
    rows = Prediction.objects.select_related("outcome").prefetch_related("notes")
    whole = rows.in_bulk(ids)
    return [whole[identity] for identity in ids if identity in whole]  # one may be pruned meanwhile


def _window_end(
    within: QuerySet[Any] | None, start: Position | None, order: SortOrder
) -> Position | None:
    """The place WINDOW rows of ``within`` after ``start``, or None if ``within`` ends before."""
    if within is None:
        return None
    if start is not None:
        within = order.after(within, start)
    return next((Position(*end) for end in order.places(within)[WINDOW : WINDOW + 1]), None)


def read_all(rows: QuerySet[Prediction], *fields: str) -> Iterator[list[tuple[Any, ...]]]:
    """All of ``rows``, the newest first, in chunks of tuples of the id and ``fields``."""
    rows = rows.order_by("-id")
    chunk = list(rows.values_list("id", *fields)[:_CHUNK])
    while chunk:
        yield chunk
        chunk = list(rows.filter(id__lt=chunk[-1][0]).values_list("id", *fields)[:_CHUNK])


def between(
    rows: QuerySet[_Row], start: datetime | None, end: datetime | None = None
) -> QuerySet[_Row]:
    """The ``rows``, or outcomes of rows, that were made from ``start`` on and before ``end``.

    This is a range of ids, so the primary key serves it.
    """
    if start is not None:
        rows = rows.filter(pk__gte=first_at(max(start, EPOCH)))
    return rows if end is None else rows.filter(pk__lt=first_at(max(end, EPOCH)))


def sampled(
    rows: QuerySet[Any], most: int, *, key: str = "id", count: int | None = None
) -> QuerySet[Any]:
    """All ``rows``, or an even sample of about ``most`` of them; the same sample every time.

    Samples by the last digits of the UUIDv7s, which are random and in an index. ``count`` is the
    number of ``rows``, if known.
    """
    count = rows.count() if count is None else count
    if count <= most:
        return rows
    last = Right(Cast(key, CharField()), _DIGITS)
    ends = f"{max(16**_DIGITS * most // count, 1):0{_DIGITS}x}"
    drawn: QuerySet[Any] = rows.annotate(last_digits=last).filter(last_digits__lt=ends)
    return drawn


def kept_reference(text: str) -> str:
    """A caller's reference as the log keeps it: printable, without surrounding spaces.

    A search with the text that a caller sent finds the rows of that reference.
    """
    return (text if text.isprintable() else "".join(filter(str.isprintable, text))).strip()


def referring(*references: str) -> Q:
    """The condition for rows with one of these references, written so that an index serves it.

    The index omits rows without a reference.
    """
    return Q(reference__in=[kept_reference(text) for text in references], reference__gt="")


def span() -> tuple[datetime, datetime] | None:
    """The times of the oldest and the newest row, or None if the log is empty."""
    ids = Prediction.objects.values_list("id", flat=True)
    oldest, newest = ids.order_by("id").first(), ids.order_by("-id").first()
    if oldest is None or newest is None:
        return None
    return time_of(oldest), time_of(newest)


def versions() -> list[tuple[str, str]]:
    """(model, version) of each version in the log, found by skipping through the index."""
    found = []
    for model in _distinct(Prediction.objects.all(), "model"):
        of_model = Prediction.objects.filter(model=model)
        found += [(model, version) for version in _distinct(of_model, "version")]
    return found


def flags() -> list[str]:
    """The different top flags in the log."""
    return _distinct(Prediction.objects.all(), "top_flag")


def _distinct(rows: QuerySet[Prediction], field: str) -> list[str]:
    """The first MAX_CHOICES different values: one index lookup for each."""
    found: list[str] = []
    values = rows.order_by(field).values_list(field, flat=True)
    value = values.first()
    while value is not None and len(found) < MAX_CHOICES:
        found.append(value)
        value = values.filter(**{f"{field}__gt": value}).first()
    return found


def estimated_size() -> int | None:
    """The approximate number of rows; None while the database has no estimate."""
    table = Prediction._meta.db_table  # noqa: SLF001 - Django documents _meta
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # rowids increase, and the oldest rows are pruned first
            least, most = (f'(SELECT {f}(rowid) FROM "{table}")' for f in ("MIN", "MAX"))  # noqa: S608
            cursor.execute(f"SELECT {most} - {least} + 1")
        else:
            cursor.execute(
                "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table]
            )
        (count,) = cursor.fetchone()
    return None if count is not None and count < 0 else int(count or 0)
