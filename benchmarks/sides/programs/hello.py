"""The limit: a WSGI application that does nothing."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

# the worker class reads these, and nothing here makes a Django application
settings.configure(CONNECTIONS_PER_ADDRESS=500, TRUSTED_PROXIES=[])

ANSWER = b'{"not caught":0.8512345678901234,"caught":0.1487654321098766}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(ANSWER)))]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Read the question, answer the same to everyone."""
    environ["wsgi.input"].read()
    start_response("200 OK", HEADERS)
    return [ANSWER]
