"""Records in admin are read-only, and filtered only by what the page offers."""

import re
from typing import Any

from django.http import HttpRequest


class ReadOnly:
    """A mixin before ModelAdmin; the view permission decides who may look."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# The lookups that Django's filters of a field use in a query string.
_SUFFIX = re.compile(r"(__(id|pk))?(__(exact|isnull|isempty|gte|lt))?")
_DATES = ("year", "month", "day", "gte", "lt")


class DeclaredLookups:
    """A mixin before ModelAdmin; a query string may filter only by what the page declares.

    Django accepts any lookup of any field, including a regular expression that never ends.
    """

    list_filter: Any
    date_hierarchy: str | None

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        if self.date_hierarchy and lookup in {f"{self.date_hierarchy}__{part}" for part in _DATES}:
            return True
        return any(
            lookup.startswith(name) and _SUFFIX.fullmatch(lookup.removeprefix(name))
            for declared in self.list_filter
            for name in _parameters(declared)
        )


def _parameters(declared: Any) -> tuple[str, ...]:
    """The query parameters of an entry of list_filter."""
    if isinstance(declared, tuple):  # a field and the class of its filter
        return (str(declared[0]),)
    single = (str(getattr(declared, "parameter_name", declared)),)
    return getattr(declared, "parameters", single)
