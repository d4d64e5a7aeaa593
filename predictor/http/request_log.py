"""The outermost middleware: gives each request an id, counts it, and logs it if it fails."""

import logging
import re
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase
from django.utils.encoding import escape_uri_path

from predictor.http.errors import DATABASE_AWAY
from predictor.log import refusals
from predictor.log.uuid7 import random_bytes
from predictor.monitoring import metrics
from predictor.monitoring.log_lines import request_id, trace_id, trace_of
from predictor.predictions.origin import caller_of

logger = logging.getLogger(__name__)

_SLOW = 1.0  # seconds
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_LEVELS = {503: logging.WARNING}  # temporary, as at a start: the response says when to retry
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def request_log(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Send back ``X-Request-Id`` (the caller's, or a new one), count, and log what is unusual.

    Successful requests leave no line unless ACCESS_LOG is set: predictions are in the prediction
    log, and other requests in the counters of /metrics.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        asked = request.META.get("HTTP_X_REQUEST_ID")
        identity = asked if asked and _ID.fullmatch(asked) else random_bytes(16).hex()
        request_id.set(identity)
        trace_id.set(trace_of(request.META.get("HTTP_TRACEPARENT", "")))
        response = get_response(request)
        response["X-Request-Id"] = identity
        _log(request, response, time.perf_counter() - started)
        return response

    return middleware


@receiver(got_request_exception)
def _log_mistake(request: HttpRequest | None = None, **_: object) -> None:
    """Log the traceback, which the caller does not see. Expected errors never come here."""
    if isinstance(sys.exc_info()[1], DATABASE_AWAY):  # ``explain`` has logged it
        return
    where = _shown(request) if request else "(no request)"
    logger.error("an unexpected error at %s", where, exc_info=sys.exc_info())


def _log(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    status = response.status_code
    match = request.resolver_match
    route = match.route if match else "(none)"
    method = request.method if request.method in _METHODS else "(other)"
    metrics.requests(method, route, status).inc()
    metrics.request_seconds(route).observe(seconds)
    if status < 400 and seconds < _SLOW and not settings.ACCESS_LOG:
        return
    if status >= 400 and not route.startswith("admin/"):
        refusals.note(f"status {status}")
    level = logging.INFO if status < 500 else _LEVELS.get(status, logging.ERROR)
    path = _shown(request)
    logger.log(
        level, "%s %s: %d in %.1f ms", method, path, status, seconds * 1000,
        extra={"method": method, "path": path, "route": route, "status": status,
               "milliseconds": round(seconds * 1000, 1), "caller": caller_of(request)},
    )  # fmt: skip


def _shown(request: HttpRequest) -> str:
    """The path as it was sent, so that %0A in it starts no new line in the log."""
    return escape_uri_path(request.path)[:200]
