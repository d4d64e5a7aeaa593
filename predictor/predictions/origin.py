"""Where a request comes from, as far as the log may know."""

from collections.abc import Callable
from typing import NamedTuple

from django.http import HttpRequest
from rest_framework.request import Request

from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.log.history import kept_reference
from predictor.log.privacy import pseudonym
from predictor.models import Prediction
from predictor.monitoring.log_lines import trace_id

MAX_REFERENCE, MAX_CALLER = 200, 64  # characters
Source = Prediction.Source


class Origin(NamedTuple):
    """Who asked, and how: what the log keeps besides the inputs. Made only here."""

    source: Source
    caller: str  # the name of an API key, or the salted hash of an address
    reference: str  # the caller's reference; empty when none was sent
    trace: str = ""  # the id of the trace that the request belongs to, 32 hex digits


def origin_of(request: HttpRequest | Request, source: Source) -> Origin:
    """A request's origin: source, key or hashed address, the caller's reference.

    Raises InvalidInput when the reference is too long.
    """
    sent = request.META.get("HTTP_X_REFERENCE", "")
    reference = reference_text(_as_written(sent), "X-Reference") if sent else ""
    return Origin(source, caller_of(request), reference, trace_id.get())


def command_origin(operator: str) -> Origin:
    """The origin of the rows of a file that an operator scores with a command."""
    return Origin(Source.CSV, operator[:MAX_CALLER], "")


def counter_of(request: HttpRequest | Request) -> Callable[[int], None]:
    """A function to call with the number of a request's rows; it raises beyond the rate."""
    counter: Callable[[int], None] = getattr(request, "count_rows", lambda _rows: None)
    return counter


def caller_of(request: HttpRequest | Request) -> str:
    """The name of the request's key, else the salted hash of its address."""
    key = getattr(request, "api_key", None)
    if key is None:
        return pseudonym(request.META.get("REMOTE_ADDR", ""))
    name: str = key.name[:MAX_CALLER]
    return name


def trial_key(request: HttpRequest | Request, origin: Origin) -> str:
    """What decides the version in a trial: the reference, else the key; empty: each request alone.

    Not the address: behind a proxy all callers may share one. A request that is sent again is the
    same request.
    """
    key = getattr(request, "api_key", None)
    own: str = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    return origin.reference or (own if key is None else key.name)


def reference_text(text: str, field: str) -> str:
    """A reference as the log keeps it, from a header, a field or a column.

    Raises InvalidInput naming ``field`` when it has more than MAX_REFERENCE characters.
    """
    kept = kept_reference(text)
    if len(kept) > MAX_REFERENCE:
        message = f"a reference has at most {MAX_REFERENCE} characters, not {len(kept):,}"
        raise InvalidInput([FieldError(field, message)])
    return kept


def _as_written(header: str) -> str:
    """A header as its sender wrote it: WSGI decodes it as Latin-1, programs write UTF-8."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header
