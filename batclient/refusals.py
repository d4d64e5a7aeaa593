"""Errors: a page for people, the API's problem document for the page's scripts."""

import sys
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from batclient.pages import page, wants_json
from batclient.sentences import error_in_language, in_language
from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.http.errors import Problem, explain, problem_document
from predictor.http.problems import is_for_programs
from predictor.http.problems import problem as problem_body


class Refusals:
    """Middleware that gives errors of a page's view the same status and words as in the API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django's hook for an exception in a view; None leaves it to the 500 page."""
        return _explained(request, error)


def _explained(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """The API's status and words for ``error``, as a page or as a problem document."""
    problem = explain(error)
    if problem is None:
        return None
    problem = _in_language(problem)
    response = problem.response()
    if not (wants_json(request) or is_for_programs(request.path_info)):
        response = refusal(request, problem.status, problem.body["detail"])
        for name, value in problem.headers.items():
            response[name] = value
    if version := getattr(request, "answered_by", ""):
        response["X-Model-Version"] = version  # the page may show another version
    return response


def _in_language(problem: Problem) -> Problem:
    """The same error in the page's language."""
    body = dict(problem.body)
    errors = [FieldError(**error) for error in body.get("errors", [])]
    translated = [error_in_language(error) for error in errors]
    if body["detail"] == str(InvalidInput(errors)):
        body["detail"] = str(InvalidInput(translated))
    else:
        body["detail"] = in_language(body["detail"])
    if errors:
        body = problem_body(problem.status, body["detail"], translated, body["title"])
    return problem._replace(body=body)


def refusal(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """``message`` as a page or a problem document, whichever the client wants."""
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
    in_words = message % {"minutes": wait.total_seconds() // 60}
    refused = refusal(request, HTTPStatus.TOO_MANY_REQUESTS, in_words)
    refused["Retry-After"] = f"{wait.total_seconds():.0f}"
    return refused


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 if the form's token and the browser's cookie disagree; CSRF_FAILURE_VIEW."""
    message = _("This page is too old, or the browser keeps no cookies: reload it.")
    return refusal(request, HTTPStatus.FORBIDDEN, message)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 from outside a view: a wrong Host header, too many form fields."""
    return _outside(request, HTTPStatus.BAD_REQUEST, _("This request cannot be understood."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _outside(request, HTTPStatus.FORBIDDEN, _("This is not allowed."))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _outside(request, HTTPStatus.NOT_FOUND, _("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """An error of other middleware, explained like a view's if known; else 500 without a trace.

    The page of a 500 lists no models, since one of them may be the cause.
    """
    error = sys.exc_info()[1]
    if isinstance(error, Exception) and (explained := _explained(request, error)):
        return explained
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    if is_for_programs(request.path_info):
        return HttpResponse(status=status)
    context = {"status": int(status), "message": _("An unexpected error; it has been logged.")}
    return render(request, "batclient/message.html", context, status=status)


def _outside(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """A page for people; for programs predictor.http.middleware makes the problem document."""
    if is_for_programs(request.path_info):
        return HttpResponse(status=status)
    return refusal(request, status, message)
