"""What may be done with what is on record: reading, by the filters that a page offers."""

import re
from typing import Any

from django.http import HttpRequest


class ReadOnly:
    """Goes before ModelAdmin; who may look is left to the view permission."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# What the filters that Django makes of a field put into an address.
_SUFFIX = re.compile(r"(__(id|pk))?(__(exact|isnull|isempty|gte|lt))?")
_DATES = ("year", "month", "day", "gte", "lt")


class DeclaredLookups:
    """Goes before ModelAdmin; an address may filter by what the page declares, and by nothing else.

    Django itself takes any lookup of any field, a regular expression that never ends among them.
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
    """What an entry of list_filter is called in an address."""
    if isinstance(declared, tuple):  # a field and the class of its filter
        return (str(declared[0]),)
    single = (str(getattr(declared, "parameter_name", declared)),)
    return getattr(declared, "parameters", single)
