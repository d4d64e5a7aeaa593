"""The short way of POST …/predict through Django: which requests take it, and which layers remain.

A prediction has no session, user, CSRF token or message, and the log writer has its own database
connection; Django's layers and signals for these would take half of a request's time. Where JSON is
sent and accepted, as by nearly every program, there is nothing to negotiate, and REST framework is
skipped too: the view's ``post`` gets Django's request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from http.cookies import SimpleCookie
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import LimitedStream, WSGIHandler, WSGIRequest
from django.db import close_old_connections
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, get_resolver
from django.utils.module_loading import import_string

from predictor.http.errors import answer_to
from predictor.http.parsers import parse_json

# The greenlets or threads that opened a Django connection; most predictions need none.
_connected = threading.local()


@receiver(connection_created)
def _note_connection(**_: object) -> None:
    _connected.here = True


Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# The part of settings.MIDDLEWARE that predictions pass, in the same order; the rest is for pages.
_PASSED = {
    path: path
    for path in (
        "predictor.http.request_log.request_log",
        "predictor.http.middleware.problems_for_programs",
        "predictor.http.middleware.trusted_proxies",
        "predictor.http.middleware.body_limit",
        "corsheaders.middleware.CorsMiddleware",
        "predictor.keys.middleware.admit_callers",
    )
} | {"django.middleware.common.CommonMiddleware": "predictor.http.middleware.known_host"}
_FOR_PROGRAMS = ("X-Content-Type-Options", "Strict-Transport-Security")
_JSON = frozenset(
    f"application/json{charset}"
    for charset in ("", "; charset=utf-8", ";charset=utf-8", "; charset=UTF-8", ";charset=UTF-8")
)
_WELCOME = frozenset(
    ("*/*", "application/json", "application/json, */*", "application/json, text/plain, */*")
)


class ShortWay(WSGIHandler):
    """The WSGI application: predictions take the short way, other requests Django's handler."""

    def __init__(self, everything_else: Application) -> None:
        super().__init__()
        self._everything_else = everything_else

    def load_middleware(self, is_async: bool = False) -> None:
        """Like Django's, for middleware that is a plain function around the next."""
        handler: Any = convert_exception_to_response(_answer)
        passed = [_PASSED[path] for path in settings.MIDDLEWARE if path in _PASSED]
        for path in reversed(passed):
            handler = convert_exception_to_response(import_string(path)(handler))
        self._chain = handler
        self._always = {secure: _security_headers(secure) for secure in (False, True)}
        self._minds_https = self._always[False] != self._always[True]

    def __call__(  # type: ignore[override] # any iterable of bytes is WSGI
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not (path.startswith("/api/") and path.endswith("/predict")):
            return self._everything_else(environ, start_response)
        request = PlainRequest(environ) if _is_plain(environ) else WSGIRequest(environ)
        response: HttpResponseBase = self._chain(request)
        if hasattr(_connected, "here"):
            close_old_connections()  # a lookup of the key or the active version may have opened one
        secure = self._minds_https and request.is_secure()
        status = f"{response.status_code} {response.reason_phrase}"
        start_response(status, [*response.headers.items(), *self._always[secure]])
        return [response.content] if isinstance(response, HttpResponse) else response


class PlainRequest(WSGIRequest):
    """Django's request with a JSON body, and the attributes that views use of REST framework's."""

    def __init__(self, environ: dict[str, Any]) -> None:
        """Like Django's, which calls no parent either, for requests that ``_is_plain`` accepts."""
        self.environ = self.META = environ
        self.method = "POST"
        self.path_info = environ["PATH_INFO"]
        self.path = environ.get("SCRIPT_NAME", "") + self.path_info
        self.content_type, self.content_params = "application/json", {}
        self.resolver_match = None
        length = int(environ["CONTENT_LENGTH"])
        self._stream: Any = LimitedStream(environ["wsgi.input"], length)
        self._read_started = False

    @property
    def data(self) -> Any:
        """The parsed body, read once. Raises MalformedBody."""
        return parse_json(self.read())

    @property
    def query_params(self) -> Any:
        return self.GET


class _PlainHeaders(ResponseHeaders):
    """Django's headers, without checks for text that is already plain."""

    def __setitem__(self, key: str, value: Any) -> None:
        if type(value) is str and value.isascii() and value.isprintable() and key.isascii():
            self._store[key.lower()] = (key, value)
        else:
            super().__setitem__(key, value)


class PlainAnswer(HttpResponse):
    """Django's response for JSON bytes."""

    def __init__(self, content: bytes, headers: dict[str, str]) -> None:
        """Like Django's, without the search for a content type, a charset and a status."""
        self.headers = _PlainHeaders({"Content-Type": "application/json"} | headers)
        self._charset = self._handler_class = self._reason_phrase = None
        self._resource_closers: list[Any] = []
        self.cookies = SimpleCookie()
        self.closed = False
        self._container = [content]


def _answer(request: HttpRequest) -> HttpResponseBase:
    """The response of the path's view."""
    match = request.resolver_match = _resolve(request.path_info)
    if not isinstance(request, PlainRequest):
        response = match.func(request, *match.args, **match.kwargs)
        rendered: HttpResponseBase = response.render() if hasattr(response, "render") else response
        return rendered
    view: Any = match.func.cls  # type: ignore[attr-defined] # set by REST framework's as_view
    try:
        answered: HttpResponseBase = view().post(request, **match.kwargs)
    except Exception as error:  # noqa: BLE001 - what has no answer is raised again
        return answer_to(error)
    return answered


def _is_plain(meta: dict[str, Any]) -> bool:
    """Whether there is nothing to negotiate or decode: JSON is posted, and JSON is accepted."""
    return (
        meta["REQUEST_METHOD"] == "POST"
        and meta["PATH_INFO"].isascii()
        and meta.get("CONTENT_LENGTH", "").isdecimal()
        and meta.get("CONTENT_TYPE") in _JSON
        and meta.get("HTTP_ACCEPT", "*/*") in _WELCOME
        and "HTTP_CONTENT_ENCODING" not in meta
    )


@lru_cache(maxsize=1024)
def _resolve(path: str) -> ResolverMatch:
    return get_resolver().resolve(path)


def _security_headers(secure: bool) -> list[tuple[str, str]]:
    """The headers of Django's SecurityMiddleware for programs; its others are for pages."""
    request = HttpRequest()
    request.is_secure = lambda: secure  # type: ignore[method-assign]
    response = HttpResponse()
    SecurityMiddleware(lambda _: response).process_response(request, response)
    return [(name, response[name]) for name in _FOR_PROGRAMS if name in response]
