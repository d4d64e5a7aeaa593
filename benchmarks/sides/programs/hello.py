"""The limit: a WSGI application that does nothing."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

# the worker class reads these settings, and there is no Django application here
settings.configure(CONNECTIONS_PER_ADDRESS=500, TRUSTED_PROXIES=[])

ANSWER = b'{"not caught":0.8512345678901234,"caught":0.1487654321098766}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(ANSWER)))]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Read the body, send the same response to all requests."""
    environ["wsgi.input"].read()
    start_response("200 OK", HEADERS)
    return [ANSWER]
