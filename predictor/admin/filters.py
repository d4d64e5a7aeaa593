"""The filters in a query string, and which of them an index serves."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat

from predictor.admin.periods import Period
from predictor.admin.titles import named
from predictor.log import history
from predictor.log.paging import NEWEST, Position, SortOrder, Start
from predictor.log.steps import step_of
from predictor.models import Note, Outcome, Prediction

Predictions = QuerySet[Prediction]

RIGHT, WRONG, REPORTED, UNREPORTED = "right", "wrong", "reported", "unreported"
OUTCOMES = {
    RIGHT: "right", WRONG: "wrong", REPORTED: "right or wrong", UNREPORTED: "not reported",
}  # fmt: skip
SORTS = {
    "": SortOrder(), "time": SortOrder(falling=False),
    "-score": SortOrder(by_score=True), "score": SortOrder(by_score=True, falling=False),
}  # fmt: skip
PARAMETERS = (
    "version", "flag", "source", "caller", "outcome", "noted", "low", "high", "took", "since",
    "until", "on", "sort", "before", "after",
)  # fmt: skip
_MOST_WORDS = 8  # of a search; each is searched separately, in every field


@dataclass(frozen=True)
class CaseQuery:
    """The filters of a query string. A value that a filter does not have is ignored."""

    text: str = ""
    model: str = ""
    version: str = ""
    flag: str = ""
    source: str = ""
    caller: str = ""
    outcome: str = ""
    noted: bool = False
    low: float | None = None  # of the top score
    high: float | None = None
    took: float | None = None  # ms, at least
    since: datetime | None = None
    until: datetime | None = None
    order: SortOrder = NEWEST

    @classmethod
    def parse(cls, query: Mapping[str, Any]) -> "CaseQuery":
        """Parse the parameters of a query string."""
        said = {name: str(query.get(name) or "").strip() for name in (*PARAMETERS, "q")}
        model, _, version = said["version"].partition("/")
        period = Period.parse(said["on"])
        starts = [_minute(said["since"]), period and period.start]
        ends = [_minute(said["until"], timedelta(minutes=1)), period and period.end]
        return cls(
            said["q"], model, version, said["flag"], said["source"], said["caller"],
            said["outcome"] if said["outcome"] in OUTCOMES else "",
            bool(said["noted"]), _number(said["low"]), _number(said["high"]), _number(said["took"]),
            max((one for one in starts if one), default=None),
            min((one for one in ends if one), default=None),
            SORTS.get(said["sort"], NEWEST),
        )  # fmt: skip

    @cached_property
    def key(self) -> Q:
        """The condition that finds a row by id, or rows by reference; empty if it is neither."""
        if identity := as_id(self.text):
            return Q(id=identity)
        named = history.referring(self.text)
        return named if self.text and Prediction.objects.filter(named).exists() else Q()

    def filtered(self, rows: Predictions) -> Predictions:
        """The ``rows`` that match the filters, regardless of the searched text."""
        exact = {
            "version": self.version, "flag": self.flag, "source": self.source, "caller": self.caller
        }  # fmt: skip
        names = {"flag": "top_flag"}
        rows = rows.filter(**{names.get(name, name): v for name, v in exact.items() if v})
        if self.version:
            rows = rows.filter(model=self.model)
        elif self.model:
            # written so that no index serves it: the index of versions is not sorted by time
            rows = rows.alias(asked_model=Concat("model", Value(""))).filter(asked_model=self.model)
        rows = self._of_outcome(self._of_score(history.between(rows, self.since, self.until)))
        if self.took is not None:
            rows = rows.filter(duration__gte=self.took)
        return rows.filter(pk__in=Note.objects.values("prediction")) if self.noted else rows

    def with_text(self, rows: Predictions) -> Predictions:
        """The ``rows`` that contain the text: in the inputs, or in the titles that people read."""
        if self.key:
            return rows.filter(self.key)
        found = rows.alias(text=Cast("inputs", TextField()))
        for word in self.text.split()[:_MOST_WORDS]:
            found = found.filter(named(word, "text"))
        return found

    def within(self) -> QuerySet[Any] | None:
        """The rows in which to search; None if an index serves all filters."""
        if self.key:
            return None
        served, base = self._served()
        asked = replace(self, since=None, until=None, order=NEWEST)
        if self.order.by_score:
            return None if self == served else base
        is_served = asked == served and self.outcome in ("", REPORTED)
        return None if is_served else history.between(base, self.since, self.until)

    def _served(self) -> tuple["CaseQuery", QuerySet[Any]]:
        """The filters that one index serves in the chosen order, and the rows it finds."""
        rows = Prediction.objects.all()
        if self.order.by_score:
            served = CaseQuery(low=self.low, high=self.high, order=self.order)
            return served, served.filtered(rows)
        if self.noted:
            served = CaseQuery(noted=True)
        elif self.outcome in (RIGHT, WRONG, REPORTED):
            known, outcomes = CaseQuery(outcome=self.outcome), Outcome.objects.all()
            if self.version:
                known = replace(known, model=self.model, version=self.version)
                outcomes = outcomes.filter(model=self.model, version=self.version)
            return known, outcomes
        elif self.caller:
            served = CaseQuery(caller=self.caller)
        elif self.version:
            served = CaseQuery(model=self.model, version=self.version)
        else:
            served = CaseQuery(flag=self.flag)
        return served, served.filtered(rows)

    def _of_score(self, rows: Predictions) -> Predictions:
        for bound, score in (("gte", self.low), ("lte", self.high)):
            if score is None:
                continue
            rows = rows.filter(**{f"top_score__{bound}": score})
            if self.order.by_score:  # only this order may use the index of steps
                rows = rows.filter(**{f"score_step__{bound}": step_of(score)})
        return rows

    def _of_outcome(self, rows: Predictions) -> Predictions:
        if not self.outcome:
            return rows
        rows = rows.filter(outcome__isnull=self.outcome == UNREPORTED)
        if self.outcome == RIGHT:
            return rows.filter(outcome__flag=F("top_flag"))
        return rows.exclude(outcome__flag=F("top_flag")) if self.outcome == WRONG else rows


def start_of(query: Mapping[str, Any], order: SortOrder) -> Start:
    """Where the page begins, from the query string.

    The list begins with the newest, so rows further down the list are ``before`` a place in time.
    """
    for name, is_back in (("before", False), ("after", True)):
        place = Position.parse(str(query.get(name) or ""))
        if place and (place.score is not None) == order.by_score:
            return Start(order, place, is_back)
    return Start(order)


def as_id(text: str | None) -> UUID | None:
    """``text`` as an id, or None."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _minute(text: str, more: timedelta = timedelta()) -> datetime | None:
    """Parse a time, by default in UTC, and add ``more``; None if it is not a time."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (moment + more).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
