"""Where an exception becomes HTTP: its status, its problem document, its line in the log.

Every exit (API, pages, their scripts, a CSV under way) asks ``explain``, so that one failure has
one status everywhere and is counted once.
"""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from rest_framework.exceptions import APIException, MethodNotAllowed

from predictor.artifacts.errors import InvalidInput, ScoringError, ScoringTimeout
from predictor.errors import (
    LogUnavailable,
    MalformedBody,
    ModelUnavailable,
    UnknownModel,
    UnknownPrediction,
)
from predictor.http.problems import CONTENT_TYPE, headers_of, problem
from predictor.http.renderers import as_json
from predictor.monitoring import metrics

logger = logging.getLogger(__name__)

# What a database raises that is gone, locked or full; its other errors are mistakes of ours.
DATABASE_AWAY = (InterfaceError, OperationalError)

_STATUSES: dict[type[Exception], int] = {
    InvalidInput: 400,
    MalformedBody: 400,
    UnknownModel: 404,
    UnknownPrediction: 404,
    ModelUnavailable: 503,
    LogUnavailable: 503,
}


class Problem(NamedTuple):
    """What a caller is answered in place of a result."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    def response(self) -> HttpResponse:
        """The problem document."""
        # with its length: outside the views no middleware adds that any more
        content = as_json(self.body)
        own = {"Content-Type": CONTENT_TYPE, "Content-Length": str(len(content))}
        return HttpResponse(content, status=self.status, headers=own | dict(self.headers))


def explain(error: Exception) -> Problem | None:
    """What the caller is answered for ``error``; None when it is a mistake of ours.

    Failures of the model and of the database are logged and counted here.
    """
    if isinstance(error, ScoringError):
        return _scoring_failed(error)
    if isinstance(error, DATABASE_AWAY):
        logger.error("the database does not answer: %s", error)
        return _problem(503, "the database does not answer now; try later")
    if isinstance(error, APIException):
        return _problem(error.status_code, _sentence(error), error)
    for kind, status in _STATUSES.items():
        if isinstance(error, kind):
            return _problem(status, str(error), error)
    return None


def refusal(
    code: int, detail: str, headers: Mapping[str, str] | None = None, title: str = ""
) -> HttpResponse:
    """The problem document of what is refused without an exception."""
    own = headers_of(code) | dict(headers or {})
    return Problem(code, problem(code, detail, title=title), own).response()


def problem_response(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """The answer to an exception of an API's view; DRF's EXCEPTION_HANDLER."""
    explained = explain(error)
    if explained is None:
        return None
    response = explained.response()
    if isinstance(error, MethodNotAllowed):
        response["Allow"] = ", ".join(context["view"].allowed_methods)
    return response


def _scoring_failed(error: ScoringError) -> Problem:
    """The caller is not shown the estimator's own words, the log is."""
    overdue = isinstance(error, ScoringTimeout)
    logger.error("%s", error)
    metrics.SCORING_FAILURES.labels("overdue" if overdue else "failed").inc()
    if overdue:
        return _problem(503, str(error))
    detail = "the model gave no usable score for this request"
    return Problem(500, problem(500, detail, title="The model failed"), {})


def _problem(status: int, detail: str, error: Exception | None = None) -> Problem:
    body = problem(status, detail, getattr(error, "errors", None))
    own = getattr(error, "headers", None) or {}
    return Problem(status, body, headers_of(status) | own)


def _sentence(error: APIException) -> str:
    detail = error.detail
    return str(detail) if isinstance(detail, str) else "; ".join(map(str, detail))
