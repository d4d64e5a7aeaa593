"""The log's filters: each knows whether an index serves it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest

from predictor.log import history
from predictor.models import Prediction

Rows = QuerySet[Prediction]


class VersionFilter(admin.SimpleListFilter):
    """By model, or by one of its versions."""

    title = "version"
    parameter_name = "version"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = history.versions()
        models = dict.fromkeys(model for model, _ in found)
        several = [(model, f"{model}, all versions") for model in models]
        return several + [(f"{model}/{version}", f"{model} {version}") for model, version in found]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        model, _, version = (self.value() or "").partition("/")
        if not model:
            return queryset
        if version:
            return queryset.filter(model=model, version=version)
        # written so that no index serves it: that of the versions is not in the order of time
        return queryset.alias(asked_model=Concat("model", Value(""))).filter(asked_model=model)


class FlagFilter(admin.SimpleListFilter):
    """By the flag with the highest score."""

    title = "top flag"
    parameter_name = "flag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(flag, flag) for flag in history.flags()]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        return queryset.filter(top_flag=self.value()) if self.value() else queryset


class SourceFilter(admin.SimpleListFilter):
    """By the way it was asked."""

    title = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in Prediction.Source.choices]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        return queryset.filter(source=self.value()) if self.value() else queryset


class HiddenFilter(admin.SimpleListFilter):
    """Reads a parameter of the address that is not shown among the filters."""

    title = ""
    template = "admin/hidden_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True  # or Django would not apply it

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        return queryset


class DateFilter(HiddenFilter):
    """By year, month or day (``on=2026-11-23``): the date hierarchy above the table."""

    parameter_name = "on"

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        period = Period.parse(self.value() or "")
        return queryset if period is None else history.between(queryset, period.start, period.end)


class BeforeFilter(HiddenFilter):
    """The page's place: rows older than this id."""

    parameter_name = "before"


class AfterFilter(HiddenFilter):
    """The page's place: rows newer than this id."""

    parameter_name = "after"


class Period:
    """A year, a month or a day."""

    def __init__(self, *parts: int) -> None:
        """Raises ValueError when there is no such date."""
        self.parts = parts
        year, month, day = (*parts, 1, 1)[:3]
        self.start = datetime(year, month, day, tzinfo=UTC)

    @classmethod
    def parse(cls, text: str) -> "Period | None":
        """The period ``text`` names (2026, 2026-11 or 2026-11-23), or None."""
        try:
            parts = [int(part) for part in text.split("-")]
            return cls(*parts) if 1 <= len(parts) <= 3 else None
        except (ValueError, OverflowError):
            return None

    @property
    def end(self) -> datetime | None:
        """The beginning of the next one; None after the last there is."""
        *above, last = self.parts
        try:
            return Period(*above, last + 1).start
        except ValueError:
            return Period(*above).end if above else None

    def __str__(self) -> str:
        return "-".join(f"{part:02d}" for part in self.parts)

    @property
    def title(self) -> str:
        form = ("%Y", "%B %Y", "%-d %B %Y")[len(self.parts) - 1]
        return self.start.strftime(form)

    @property
    def short_title(self) -> str:
        """As it is called inside the period around it."""
        return self.start.strftime(("%Y", "%B", "%-d")[len(self.parts) - 1])

    def inside(self) -> "Iterator[Period]":
        """The months of a year, the days of a month."""
        if len(self.parts) == 3:
            return
        for number in range(1, 13 if len(self.parts) == 1 else 32):
            try:
                yield Period(*self.parts, number)
            except ValueError:
                return


def as_id(text: str | None) -> UUID | None:
    """``text`` as an id, or None."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
