"""Who asks, as far as the log may know."""

from django.http import HttpRequest
from rest_framework.request import Request

from predictor.log.privacy import pseudonym
from predictor.predictions.predict import Asker

MAX_REFERENCE, MAX_CALLER = 200, 64  # characters


def asker_of(request: HttpRequest | Request, source: str) -> Asker:
    """The asker as the log keeps it: how, key or hashed address, the caller's reference."""
    reference = _as_text(request.META.get("HTTP_X_REFERENCE", ""))[:MAX_REFERENCE]
    if not reference.isprintable():
        reference = "".join(filter(str.isprintable, reference))
    return Asker(source, caller_of(request), reference)


def _as_text(header: str) -> str:
    """A header as its sender wrote it: WSGI reads every byte as Latin-1, programs write UTF-8."""
    if header.isascii():
        return header
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def caller_of(request: HttpRequest | Request) -> str:
    """The name of the request's API key, or without one the salted hash of its address."""
    key = getattr(request, "api_key", None)
    if key is not None:
        return str(key.name)[:MAX_CALLER]
    return pseudonym(request.META.get("REMOTE_ADDR", ""))
