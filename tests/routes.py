"""Every route of the server but admin's, from its URL configuration, with an address of each."""

from collections.abc import Iterator
from uuid import UUID

from django.urls import URLPattern, get_resolver, reverse

SAMPLES = {"name": "arkham", "identity": UUID(int=0), "version": "1.0.0", "number": 1}


def routes() -> Iterator[URLPattern]:
    """The patterns of the API and the pages."""
    for part in get_resolver().url_patterns:
        if not part.app_name:
            yield from part.url_patterns


def page_routes() -> dict[str, URLPattern]:
    """Those of the pages and their scripts, by name."""
    return {p.name: p for p in routes() if p.callback.__module__.startswith("batclient.")}


def address(pattern: URLPattern) -> str:
    names = pattern.pattern.converters
    return reverse(pattern.name, kwargs={name: SAMPLES[name] for name in names})
