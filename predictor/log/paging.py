"""Pages of the log: a position in a sort order, and the rows from there on.

A query that an index serves covers the whole log. One that no index serves (text in the inputs,
several filters at once) searches WINDOW rows of a query that one does, and the page says how far
back it searched.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from predictor.log.steps import step_of
from predictor.models import Prediction

WINDOW = 20_000  # rows


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
