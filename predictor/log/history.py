"""The log, read: always by index, never by counting or walking through all of it.

A million rows are normal. What an index answers is answered over the whole log; what none can
(text in the inputs, several filters at once) is looked for in WINDOW rows of what one can, and
the page says how far back it has looked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast, Right

from predictor.log.uuid7 import first_at, time_of
from predictor.models import Prediction

WINDOW = 20_000  # rows
MAX_CHOICES = 200  # versions, or flags, offered as a filter
_DIGITS = 4  # of an id, hexadecimal: a sample's share is a multiple of 1 in 65,536
_CHUNK = 2_000  # rows read at a time when all are wanted


@dataclass(frozen=True)
class Page:
    """Rows, the newest first, and where the pages before and after them are."""

    rows: list[Prediction]
    newer: UUID | None  # ids above this one are on newer pages; None: this is the newest
    older: UUID | None  # ids below this one are on older pages; None: this is the oldest
    looked_back_to: datetime | None  # where a bounded search ended before the page was full


def read_page(
    rows: QuerySet[Prediction],
    size: int,
    *,
    before: UUID | None = None,
    after: UUID | None = None,
    within: QuerySet[Prediction] | None = None,
) -> Page:
    """``size`` of ``rows`` below ``before`` or above ``after``, else the newest.

    ``within``, which an index serves, is what ``rows`` are looked for in, at most WINDOW of them;
    None when an index serves ``rows`` themselves.
    """
    if after is not None:
        return _newer_page(rows, size, after, within)
    floor = _window_end(within, before, "-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    if floor is not None:
        rows = rows.filter(id__gte=floor)
    found = _found(rows.order_by("-id"), size + 1)
    page = found[:size]
    older = page[-1].id if len(found) > size else floor
    newer = None if before is None else (page[0].id if page else before)
    short = len(found) <= size and floor is not None
    return Page(page, newer, older, time_of(floor) if short and floor else None)


def _newer_page(
    rows: QuerySet[Prediction], size: int, after: UUID, within: QuerySet[Prediction] | None
) -> Page:
    ceiling = _window_end(within, after, "id")
    rows = rows.filter(id__gt=after)
    if ceiling is not None:
        rows = rows.filter(id__lte=ceiling)
    found = _found(rows.order_by("id"), size + 1)
    page = found[:size][::-1]
    newer = page[0].id if len(found) > size else ceiling
    # exactly those below the lowest row shown; with none shown, what was below the start
    return Page(page, newer, page[-1].id if page else after, None)


def _found(rows: QuerySet[Prediction], count: int) -> list[Prediction]:
    """The first ``count`` of ``rows``; their ids first, which an index alone can tell."""
    ids = list(rows.values_list("id", flat=True)[:count])
    whole = Prediction.objects.in_bulk(ids)
    return [whole[identity] for identity in ids if identity in whole]  # one may be pruned meanwhile


def _window_end(within: QuerySet[Prediction] | None, start: UUID | None, order: str) -> UUID | None:
    """The id WINDOW rows of ``within`` away from ``start``, or None when they end before."""
    if within is None:
        return None
    ids = within.order_by(order).values_list("id", flat=True)
    if start is not None:
        ids = ids.filter(id__lt=start) if order == "-id" else ids.filter(id__gt=start)
    end: UUID | None = next(iter(ids[WINDOW : WINDOW + 1]), None)
    return end


def read_all(rows: QuerySet[Prediction], *fields: str) -> Iterator[list[tuple[Any, ...]]]:
    """All of ``rows``, the newest first, in chunks of tuples of the id and ``fields``."""
    rows = rows.order_by("-id")
    chunk = list(rows.values_list("id", *fields)[:_CHUNK])
    while chunk:
        yield chunk
        chunk = list(rows.filter(id__lt=chunk[-1][0]).values_list("id", *fields)[:_CHUNK])


def between(
    rows: QuerySet[Prediction], start: datetime | None, end: datetime | None = None
) -> QuerySet[Prediction]:
    """``rows`` made from ``start`` on and before ``end``: a range of ids, so the key serves it."""
    if start is not None:
        rows = rows.filter(id__gte=first_at(start))
    return rows if end is None else rows.filter(id__lt=first_at(end))


def sampled(
    rows: QuerySet[Any], most: int, *, key: str = "id", count: int | None = None
) -> QuerySet[Any]:
    """``rows``, or where there are more about ``most`` of them: always the same, drawn evenly.

    The last digits of a UUIDv7 are random, and an index alone knows them. ``count``: of ``rows``,
    where it is known.
    """
    count = rows.count() if count is None else count
    if count <= most:
        return rows
    last = Right(Cast(key, CharField()), _DIGITS)
    ends = f"{max(16**_DIGITS * most // count, 1):0{_DIGITS}x}"
    drawn: QuerySet[Any] = rows.annotate(last_digits=last).filter(last_digits__lt=ends)
    return drawn


def span() -> tuple[datetime, datetime] | None:
    """The times of the oldest and the newest row, or None of an empty log."""
    ids = Prediction.objects.values_list("id", flat=True)
    oldest, newest = ids.order_by("id").first(), ids.order_by("-id").first()
    if oldest is None or newest is None:
        return None
    return time_of(oldest), time_of(newest)


def versions() -> list[tuple[str, str]]:
    """(model, version) of all that ever answered, found by leaps through the index."""
    found = []
    for model in _distinct(Prediction.objects.all(), "model"):
        of_model = Prediction.objects.filter(model=model)
        found += [(model, version) for version in _distinct(of_model, "version")]
    return found


def flags() -> list[str]:
    """All top flags there are."""
    return _distinct(Prediction.objects.all(), "top_flag")


def _distinct(rows: QuerySet[Prediction], field: str) -> list[str]:
    """The first MAX_CHOICES different values: one look into the index for each."""
    found: list[str] = []
    values = rows.order_by(field).values_list(field, flat=True)
    value = values.first()
    while value is not None and len(found) < MAX_CHOICES:
        found.append(value)
        value = values.filter(**{f"{field}__gt": value}).first()
    return found


def estimated_size() -> int | None:
    """About how many rows there are; None when the database has no idea yet."""
    table = Prediction._meta.db_table  # noqa: SLF001 - Django documents _meta
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # rows are numbered as they come and the oldest are pruned first
            least, most = (f'(SELECT {f}(rowid) FROM "{table}")' for f in ("MIN", "MAX"))  # noqa: S608
            cursor.execute(f"SELECT {most} - {least} + 1")
        else:
            cursor.execute(
                "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table]
            )
        (count,) = cursor.fetchone()
    return None if count is not None and count < 0 else int(count or 0)
