"""What the server can answer besides a prediction, and the one place that puts it into HTTP."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from rest_framework import exceptions, status

from predictor.artifacts.errors import FieldError, InvalidInput, ScoringError, ScoringTimeout
from predictor.http.problems import CONTENT_TYPE, problem
from predictor.http.renderers import as_json
from predictor.monitoring import metrics

logger = logging.getLogger(__name__)

# What a database raises that is gone, locked or full; its other errors are mistakes of ours.
DATABASE_AWAY = (InterfaceError, OperationalError)


class UnknownModel(exceptions.NotFound):
    """Nothing is served under that name."""

    def __init__(self, name: str, suggestion: str | None = None) -> None:
        ask = f"; did you mean {suggestion!r}?" if suggestion else ""
        super().__init__(f"there is no model {name!r}{ask}")


class UnknownPrediction(exceptions.NotFound):
    """No prediction is on record under that id."""

    def __init__(self, identity: UUID) -> None:
        super().__init__(f"there is no prediction {identity} in the database (or not yet)")


class ModelUnavailable(exceptions.APIException):
    """The model exists but no version of it can answer."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE


class LedgerUnavailable(exceptions.APIException):
    """The answer could not be put on record, so it is not given."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "the prediction log cannot be written, so no prediction is answered; try later"


class MalformedBody(exceptions.ParseError):
    """The request's body is not what its type says."""

    def __init__(self, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.errors = [FieldError(field, detail)] if field else []


def refusal(
    code: int, detail: str, headers: Mapping[str, str] | None = None, title: str = ""
) -> HttpResponse:
    """A problem document."""
    return _as_response(problem(code, detail, title=title), headers)


def _as_response(body: dict[str, Any], headers: Mapping[str, str] | None = None) -> HttpResponse:
    # with its length: outside the views no middleware adds that any more
    content = as_json(body)
    own = {"Content-Type": CONTENT_TYPE, "Content-Length": str(len(content))}
    return HttpResponse(content, status=body["status"], headers=own | dict(headers or {}))


def scoring_problem(error: ScoringError) -> dict[str, Any]:
    """What the asker is told of a model's failure; the log and the metrics get the rest."""
    overdue = isinstance(error, ScoringTimeout)
    logger.error("%s", error)
    metrics.SCORING_FAILURES.labels("overdue" if overdue else "failed").inc()
    if overdue:
        return problem(503, str(error))
    detail = "the model gave no usable score for this request"
    return problem(500, detail, title="The model failed")


def problem_response(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Turn an exception of a view into a problem document; DRF's EXCEPTION_HANDLER."""
    if isinstance(error, InvalidInput):
        return _as_response(problem(400, str(error), error.errors))
    if isinstance(error, ScoringError):
        return _as_response(scoring_problem(error))
    if isinstance(error, DATABASE_AWAY):
        logger.error("the database does not answer: %s", error)
        return refusal(503, "the database does not answer now; try later")
    if isinstance(error, exceptions.APIException):
        body = problem(error.status_code, _sentence(error), getattr(error, "errors", None))
        return _as_response(body, getattr(error, "headers", None) or _headers(error, context))
    return None


def _sentence(error: exceptions.APIException) -> str:
    detail = error.detail
    return str(detail) if isinstance(detail, str) else "; ".join(map(str, detail))


def _headers(error: exceptions.APIException, context: dict[str, Any]) -> dict[str, str]:
    if isinstance(error, exceptions.MethodNotAllowed):
        return {"Allow": ", ".join(context["view"].allowed_methods)}
    return {}
