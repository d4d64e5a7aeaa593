"""How a page leaves: with every model's link, or as a refusal in the asker's own language."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from predictor.artifacts.errors import ScoringError
from predictor.artifacts.version import ModelVersion
from predictor.errors import LedgerUnavailable, ModelUnavailable, UnknownModel, scoring_problem
from predictor.problems import CONTENT_TYPE, problem
from predictor.serving import serving


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
