"""Who asks, as far as the log may know."""

from typing import NamedTuple

from django.http import HttpRequest
from rest_framework.request import Request

from predictor.log.privacy import pseudonym

MAX_REFERENCE, MAX_CALLER = 200, 64  # characters


class Asker(NamedTuple):
    """Who asked, and how: what the log keeps besides the question. Made by ``asker_of`` alone."""

    source: str  # one of Prediction.Source
    caller: str  # the name of an API key, or the salted hash of an address
    reference: str  # the caller's own; empty when none was sent


def asker_of(request: HttpRequest | Request, source: str) -> Asker:
    """The asker as the log keeps it: how, key or hashed address, the caller's reference."""
    meta = request.META
    key = getattr(request, "api_key", None)
    caller = pseudonym(meta.get("REMOTE_ADDR", "")) if key is None else key.name[:MAX_CALLER]
    sent = meta.get("HTTP_X_REFERENCE", "")
    return Asker(source, caller, _reference(sent) if sent else "")


def _reference(header: str) -> str:
    """A header as its sender wrote it: WSGI reads every byte as Latin-1, programs write UTF-8."""
    try:
        text = header.encode("latin-1").decode()
    except UnicodeError:
        text = header
    return "".join(filter(str.isprintable, text[:MAX_REFERENCE]))
