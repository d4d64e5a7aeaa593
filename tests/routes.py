"""Every route of the server, from its URL configuration, with a path for each."""

import inspect
import re
from collections.abc import Iterator
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver, reverse

SAMPLES = {"name": "arkham", "identity": UUID(int=0), "version": "1.0.0", "number": 1}
OF_ADMIN = {name: str(value) for name, value in SAMPLES.items()} | {
    "model": "arkham", "object_id": str(UUID(int=1)), "identity": str(UUID(int=1)),
}  # fmt: skip
KINDS = ("csv", "xlsx", "jsonl")  # of exports


def paths(resolver: URLResolver | None = None, before: str = "/") -> Iterator[tuple[str, str]]:
    """(name, path) of every route, including admin's, except Django's own."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from paths(pattern, route)
            continue
        view = inspect.unwrap(getattr(pattern.callback, "view_class", pattern.callback))
        if view.__module__.startswith(("predictor.", "batclient.", "batcomputer.")):
            for kind in KINDS if "<slug:kind>" in route else [""]:
                values = OF_ADMIN | {"kind": kind}
                path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], route)  # noqa: B023
                yield f"{pattern.name} {kind}".strip(), path


def routes() -> Iterator[URLPattern]:
    """The patterns of the API and the pages."""
    for part in get_resolver().url_patterns:
        if not part.app_name:
            yield from part.url_patterns


def page_routes() -> dict[str, URLPattern]:
    """The patterns of the pages and their scripts, by name."""
    return {p.name: p for p in routes() if p.callback.__module__.startswith("batclient.")}


def address(pattern: URLPattern) -> str:
    names = pattern.pattern.converters
    return reverse(pattern.name, kwargs={name: SAMPLES[name] for name in names})
