"""Which predictions a caller of the API may read, and report outcomes of."""

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from predictor.http.problems import CHALLENGE
from predictor.log.reports import EVERYTHING, Reach
from predictor.predictions.origin import caller_of


class KeyNeeded(APIException):
    """The request has no key, and needs one."""

    status_code = 401
    headers = CHALLENGE


def may_read(request: HttpRequest | Request) -> Reach:
    """The predictions the caller may read."""
    return _reach(request, "reads_all")


def may_report(request: HttpRequest | Request) -> Reach:
    """The predictions of which the caller may report outcomes."""
    return _reach(request, "reports_all")


def _reach(request: HttpRequest | Request, right: str) -> Reach:
    """A key's own, or all if its right or the setting allows that; without a key, by id only."""
    key = getattr(request, "api_key", None)  # set by keys/middleware.py
    reach = EVERYTHING._replace(by=caller_of(request))
    if settings.LOG_SHARED or getattr(key, right, False):
        return reach
    return reach._replace(by_id=True) if key is None else reach._replace(own=True)
