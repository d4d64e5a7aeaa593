"""How a page leaves: with every model's link, or as a refusal in the asker's own language."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from predictor.artifacts.errors import ScoringError
from predictor.artifacts.version import ModelVersion
from predictor.http.errors import DATABASE_AWAY, explain
from predictor.http.errors import refusal as problem_document
from predictor.serving.current import serving

View = Callable[..., HttpResponseBase]


def page(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = HTTPStatus.OK
) -> HttpResponse:
    """``template`` filled in, with the links to every model."""
    links = [{"name": name, "title": serving().title(name)} for name in serving().names()]
    return render(request, template, {"models": links, **context}, status=status)


def refusal(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """What cannot be answered: a page for people, a problem document for the page's script."""
    if wants_json(request):
        return problem_document(status, message)
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


class Refusals:
    """What a page's view raises is answered in words, by the rule of the API: status and reason.

    The page's scripts get the API's problem document, people get a page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django's hook for what a view raises."""
        problem = explain(error)
        if problem is None:
            return None
        if wants_json(request):
            response = problem.response()
        else:
            message = _in_words(error) or problem.body["detail"]
            response = refusal(request, problem.status, message)
            for name, value in problem.headers.items():
                response[name] = value
        if version := getattr(request, "answered_by", ""):
            response["X-Model-Version"] = version  # the page may be of another
        return response


def _in_words(error: Exception) -> str:
    """For people, in their language; empty where the problem document's own sentence will do."""
    if isinstance(error, DATABASE_AWAY):
        return _("The database does not answer now; try again in a moment.")
    if isinstance(error, ScoringError):
        return _("The model gave no usable score for this case.")
    return ""


def wants_json(request: HttpRequest) -> bool:
    """Whether the page's script asked; a form without it asks for a page."""
    accept = request.headers.get("Accept", "")
    return accept.startswith("application/json") or hasattr(request, "for_scripts")


def for_scripts(view: View) -> View:
    """Mark the view as one that only scripts ask: what it refuses is a problem document."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        request.for_scripts = True  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    return wrapped


def with_model(
    view: Callable[[HttpRequest, ModelVersion], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Give ``view`` the model its route names."""

    @wraps(view)
    def wrapped(request: HttpRequest, name: str = "") -> HttpResponse:
        model = serving().active(name)
        request.answered_by = model.version  # type: ignore[attr-defined]
        return view(request, model)

    return wrapped
