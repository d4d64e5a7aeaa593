"""Who may see the pages, set by PAGES: everyone, people logged in to admin, or no visitor.

CASE_PAGES sets the same for recorded cases; it can only restrict access further.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from batclient.pages import wants_json
from batclient.refusals import refusal
from predictor.http.errors import problem_document


class PagesFor:
    """Middleware in front of every view of this package."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_args: Any
    ) -> HttpResponseBase | None:
        """Django's hook before a view; None lets the request pass."""
        if not view.__module__.startswith("batclient."):
            return None
        if settings.PAGES == "off":
            return problem_document(HTTPStatus.NOT_FOUND, "this server has no pages (PAGES=off)")
        cases = settings.CASE_PAGES if view.__module__ == "batclient.case_views" else "open"
        if cases == "off":
            return refusal(request, HTTPStatus.NOT_FOUND, _("This server shows no cases."))
        if settings.PAGES == cases == "open" or request.user.is_authenticated:
            return None
        if request.method == "GET" and not wants_json(request):
            return redirect_to_login(request.get_full_path(), resolve_url("admin:login"))
        return refusal(request, HTTPStatus.FORBIDDEN, _("Log in to admin first."))
