"""Where an exception becomes HTTP: its status, its problem document, its line in the log.

Every exit (API, short way, keys, probes, pages, their scripts, a CSV in progress) calls
``explain``, so that one failure has the same status everywhere and is counted once.
"""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from rest_framework.exceptions import APIException, MethodNotAllowed

from predictor.artifacts.errors import (
    EXPLAINED,
    Abstention,
    FieldError,
    InvalidInput,
    ScorerLost,
    ScoringError,
    ScoringTimeout,
    public_sentence,
)
from predictor.http.problems import CONTENT_TYPE, headers_of, problem
from predictor.log.errors import LogUnavailable, UnknownPrediction
from predictor.monitoring import metrics
from predictor.predictions.claims import KeyReused
from predictor.serving.errors import ModelUnavailable, UnknownModel
from predictor.spreadsheets.reading import UnreadableCSV

logger = logging.getLogger(__name__)


class MalformedBody(Exception):
    """The request's body does not match its type."""

    def __init__(self, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.errors = [FieldError(field, detail)] if field else []


# Errors of a database that is down, locked or full; its other errors are our bugs.
DATABASE_AWAY = (InterfaceError, OperationalError)

_STATUSES: dict[type[Exception], int] = {
    MalformedBody: 400,
    UnreadableCSV: 400,
    Abstention: 422,
    KeyReused: 422,
    UnknownModel: 404,
    UnknownPrediction: 404,
    ModelUnavailable: 503,
    ScoringTimeout: 503,
    ScorerLost: 503,
    LogUnavailable: 503,
}


class Problem(NamedTuple):
    """The error response to a caller."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    def response(self) -> HttpResponse:
        """The problem document."""
        headers = {"Content-Type": CONTENT_TYPE, **self.headers}
        return HttpResponse(orjson.dumps(self.body), status=self.status, headers=headers)


def explain(error: Exception) -> Problem | None:
    """The error response for ``error``; None when it is a bug of ours.

    Failures of the model and of the database are logged and counted here.
    """
    note_failure(error)
    if isinstance(error, ScoringError) and not isinstance(error, EXPLAINED):
        return _problem(500, public_sentence(error), title="The model failed")
    if isinstance(error, DATABASE_AWAY):
        return _problem(503, "the database does not answer now; try later")
    if isinstance(error, APIException):
        return _problem(error.status_code, _sentence(error), error)
    if isinstance(error, InvalidInput):
        return _problem(400, str(error), error, title="The request does not fit the model")
    for kind, status in _STATUSES.items():
        if isinstance(error, kind):
            return _problem(status, str(error), error, getattr(error, "title", ""))
    return None


def note_failure(error: Exception) -> None:
    """Log and count a failure of the model or the database, and count a model's abstention."""
    if isinstance(error, Abstention):
        metrics.ABSTENTIONS.inc()
    elif isinstance(error, ScoringError):
        overdue = isinstance(error, ScoringTimeout)
        metrics.SCORING_FAILURES.labels("overdue" if overdue else "failed").inc()
        logger.error("%s", error)
    elif isinstance(error, DATABASE_AWAY):
        logger.error("the database does not answer: %s", error)


def answer_to(error: Exception) -> HttpResponse:
    """The problem document of ``error``. Raises it again when it is a bug of ours."""
    problem = explain(error)
    if problem is None:
        raise error
    return problem.response()


def problem_document(
    code: int, detail: str, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """The problem document of a refusal without an exception."""
    own = headers_of(code) | dict(headers or {})
    return Problem(code, problem(code, detail), own).response()


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """The response to an exception in an API view; DRF's EXCEPTION_HANDLER."""
    response = answer_to(error)
    if isinstance(error, MethodNotAllowed):
        response["Allow"] = ", ".join(context["view"].allowed_methods)
    return response


def _problem(status: int, detail: str, error: Exception | None = None, title: str = "") -> Problem:
    body = problem(status, detail, getattr(error, "errors", None), title)
    own = getattr(error, "headers", None) or {}
    return Problem(status, body, headers_of(status) | own)


def _sentence(error: APIException) -> str:
    detail = error.detail
    return str(detail) if isinstance(detail, str) else "; ".join(map(str, detail))
