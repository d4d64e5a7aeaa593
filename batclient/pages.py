"""How a page leaves: with every model's link, or as a refusal in the asker's own language."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from predictor.artifacts.errors import ScoringError
from predictor.artifacts.version import ModelVersion
from predictor.errors import (
    DATABASE_AWAY,
    LedgerUnavailable,
    ModelUnavailable,
    UnknownModel,
    scoring_problem,
)
from predictor.http.problems import CONTENT_TYPE, problem
from predictor.serving.current import serving

logger = logging.getLogger(__name__)


def page(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = HTTPStatus.OK
) -> HttpResponse:
    """``template`` filled in, with the links to every model."""
    links = [{"name": name, "title": serving().title(name)} for name in serving().names()]
    return render(request, template, {"models": links, **context}, status=status)


def refusal(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """What cannot be answered: a page for people, a problem document for the page's script."""
    if wants_json(request):
        return problem_document(problem(status, message))
    context = {"status": int(status), "message": message}
    return page(request, "batclient/message.html", context, status)


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: object
) -> HttpResponse:
    """Too many wrong passwords; AXES_LOCKOUT_CALLABLE."""
    wait: timedelta = settings.AXES_COOLOFF_TIME
    message = _("Too many wrong passwords from your address; try again in %(minutes)d minutes.")
    told = message % {"minutes": wait.total_seconds() // 60}
    refused = refusal(request, HTTPStatus.TOO_MANY_REQUESTS, told)
    refused["Retry-After"] = f"{wait.total_seconds():.0f}"
    return refused


class DatabaseAway:
    """A page, admin's included, that finds no database says so: 503, not a failure of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django's hook for what a view raises."""
        if not isinstance(error, DATABASE_AWAY):
            return None
        logger.error("the database does not answer: %s", error)
        message = _("The database does not answer now; try again in a moment.")
        return refusal(request, HTTPStatus.SERVICE_UNAVAILABLE, message)


def problem_document(body: dict[str, Any]) -> JsonResponse:
    """``body``, a problem (RFC 9457), under its own status and type."""
    return JsonResponse(body, status=body["status"], content_type=CONTENT_TYPE)


def wants_json(request: HttpRequest) -> bool:
    """Whether the page's script asked; a form without it asks for a page."""
    return request.headers.get("Accept", "").startswith("application/json")


def with_model(
    view: Callable[[HttpRequest, ModelVersion], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Give ``view`` the model its route names; refuse in words when it cannot be had or asked."""

    @wraps(view)
    def wrapped(request: HttpRequest, name: str = "") -> HttpResponse:
        try:
            return view(request, serving().active(name))
        except (UnknownModel, ModelUnavailable, LedgerUnavailable) as error:
            return refusal(request, error.status_code, str(error.detail))
        except ScoringError as error:
            message = _("The model gave no usable score for this case.")
            return refusal(request, scoring_problem(error)["status"], message)

    return wrapped
