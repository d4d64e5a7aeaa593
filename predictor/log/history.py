"""Reads the log, always through an index: it never counts or scans all rows.

A million rows are normal. Pages of rows in an order are in ``paging``.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import CharField, Model, Q, QuerySet
from django.db.models.functions import Cast, Right

from predictor.log.uuid7 import first_at, time_of
from predictor.models import Prediction

_Row = TypeVar("_Row", bound=Model)
Case = Prediction  # a row, for modules that read no other table
MAX_CHOICES = 200  # versions, or flags, offered as a filter
_DIGITS = 4  # of an id, hexadecimal: a sample's share is a multiple of 1 in 65,536
_CHUNK = 2_000  # rows read at a time when all are read


def find(model: str, identity: UUID) -> Case | None:
    """The row with that id and its outcome, if the row belongs to the model."""
    rows = Prediction.objects.select_related("outcome")
    return rows.filter(id=identity, model=model).first()


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
        rows = rows.filter(pk__gte=first_at(start))
    return rows if end is None else rows.filter(pk__lt=first_at(end))


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
