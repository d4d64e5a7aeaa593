"""The types of requests and responses: the body's type decides; an error says what is possible."""

from collections.abc import Iterable, Iterator

from rest_framework.exceptions import NotAcceptable, UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from predictor.artifacts.untrusted import shown
from predictor.http.errors import MalformedBody

_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
# Allowed charsets of a body; a CSV's first bytes show which UTF-16 it is.
_CHARSETS = {"text/csv": _UTF8 | {"utf-16", "utf-16le", "utf-16be"}}
_MAX_RANGES = 64  # of one Accept header; no client needs more


class Negotiation(BaseContentNegotiation):
    """One parser by Content-Type, and the renderer that belongs to it, if Accept allows it."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """Raises UnsupportedMediaType, MalformedBody."""
        parsers = list(parsers)
        kind = _kind(request.content_type or "")
        parser = next((parser for parser in parsers if parser.media_type == kind), None)
        if parser is None:
            known = " or ".join(str(parser.media_type) for parser in parsers)
            found = f", not '{shown(kind)}'" if kind else "; the request has none"
            raise UnsupportedMediaType(kind, f"the body's Content-Type must be {known}{found}")
        charset = (request.content_params or {}).get("charset", "utf-8")
        if charset.lower() not in _CHARSETS.get(kind, _UTF8):
            raise MalformedBody(f"the body's charset is '{shown(charset, 40)}'; send UTF-8")
        if request.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
            raise UnsupportedMediaType("", "compressed bodies are not read; send them plain")
        return parser

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Raises NotAcceptable."""
        renderers = list(renderers)
        own = _kind(request.content_type or "")
        renderer = next((r for r in renderers if r.media_type == own), renderers[0])
        media_type = str(renderer.media_type)
        ranges = dict(_accepted(request.META.get("HTTP_ACCEPT", "")))
        kind = media_type.partition("/")[0]
        if not ranges.get(media_type, ranges.get(f"{kind}/*", ranges.get("*/*", not ranges))):
            raise NotAcceptable(f"the answer is {media_type}, which the Accept header rules out")
        return renderer, media_type


def _kind(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _accepted(header: str) -> Iterator[tuple[str, bool]]:
    """Each media range of an Accept header, and whether it is accepted (``q`` is not 0)."""
    for each in header.split(",")[:_MAX_RANGES]:
        name, *parameters = [part.strip().lower() for part in each.split(";")]
        if name:
            weights = [p.removeprefix("q=") for p in parameters if p.startswith("q=")]
            yield name, not any(_is_zero(weight) for weight in weights)


def _is_zero(weight: str) -> bool:
    try:
        return float(weight) == 0
    except ValueError:
        return False
