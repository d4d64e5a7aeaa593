"""Requests to retrain a model, for programs."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from predictor.api.reach import KeyNeeded, may_read, may_report
from predictor.api.record_schemas import ref
from predictor.api.tags import MODELS
from predictor.log.reports import Reach
from predictor.trials.progress import UnknownRetraining, progress_of, report_progress


class RetrainingView(APIView):
    """The state of a retraining request, which the training program reports here."""

    @extend_schema(
        operation_id="retraining",
        summary="Read the progress of a retraining",
        tags=[MODELS],
        responses={200: ref("Retraining")},
    )
    def get(self, request: Request, number: int) -> Response:
        _check(may_read(request), "reads all predictions")
        return _progress(number)

    @extend_schema(
        operation_id="report_retraining",
        summary="Report the progress of a retraining",
        tags=[MODELS],
        request={"application/json": ref("RetrainingReport")},
        responses={200: ref("Retraining")},
    )
    def post(self, request: Request, number: int) -> Response:
        _check(may_report(request), "reports all outcomes")
        try:
            report_progress(number, request.data)
        except UnknownRetraining as error:
            raise NotFound(str(error)) from error
        return _progress(number)


def _progress(number: int) -> Response:
    try:
        return Response(progress_of(number))
    except UnknownRetraining as error:
        raise NotFound(str(error)) from error


def _check(reach: Reach, right: str) -> None:
    """Require a key with the right to all: no caller owns a request. Raises APIException."""
    if reach.by_id:
        raise KeyNeeded(f"this is for an API key that {right}")
    if reach.own:
        raise PermissionDenied(f"this is for an API key that {right}; yours is for its own")
