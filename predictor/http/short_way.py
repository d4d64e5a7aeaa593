"""The way of POST …/predict through Django: the same views, without what only pages need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, get_resolver
from django.utils.module_loading import import_string

_FOR_PROGRAMS = ("X-Content-Type-Options", "Strict-Transport-Security")


class PredictHandler(WSGIHandler):
    """Django's WSGI handler with PREDICT_MIDDLEWARE in place of MIDDLEWARE, and no signals.

    A prediction has no session, user, CSRF token or message, and writes its row through the
    log writer's own connection; the layers and signals that see to those would take half its time.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        """As Django's own, for middleware that is a plain function around the next."""
        handler: Any = convert_exception_to_response(_view)
        for path in reversed(settings.PREDICT_MIDDLEWARE):
            handler = convert_exception_to_response(import_string(path)(handler))
        self._chain = handler
        self._always = {secure: _security_headers(secure) for secure in (False, True)}
        self._minds_https = self._always[False] != self._always[True]

    def __call__(  # type: ignore[override] # any iterable of bytes is WSGI
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        request = self.request_class(environ)
        response: HttpResponseBase = self._chain(request)
        close_old_connections()  # the key, or the active version, may have been looked up
        secure = self._minds_https and request.is_secure()
        status = f"{response.status_code} {response.reason_phrase}"
        start_response(status, [*response.headers.items(), *self._always[secure]])
        return [response.content] if isinstance(response, HttpResponse) else response


def _view(request: HttpRequest) -> HttpResponseBase:
    """What the path's view answers."""
    match = request.resolver_match = _resolve(request.path_info)
    response = match.func(request, *match.args, **match.kwargs)
    rendered: HttpResponseBase = response.render() if hasattr(response, "render") else response
    return rendered


@lru_cache(maxsize=1024)
def _resolve(path: str) -> ResolverMatch:
    return get_resolver().resolve(path)


def _security_headers(secure: bool) -> list[tuple[str, str]]:
    """What Django's SecurityMiddleware tells programs; the rest is for pages."""
    request = HttpRequest()
    request.is_secure = lambda: secure  # type: ignore[method-assign]
    response = HttpResponse()
    SecurityMiddleware(lambda _: response).process_response(request, response)
    return [(name, response[name]) for name in _FOR_PROGRAMS if name in response]
