"""Predictions on record, for the callers who requested them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from predictor.api.parameters import RECORDS_PARAMETERS
from predictor.api.reach import KeyNeeded, may_read
from predictor.api.record_schemas import ref
from predictor.api.tags import PREDICTIONS
from predictor.artifacts.errors import ArtifactError, FieldError, InvalidInput
from predictor.artifacts.inputs import nearest
from predictor.artifacts.untrusted import shown
from predictor.log.records import Search, record, records
from predictor.log.writer.rows import json_text
from predictor.serving.current import serving
from predictor.serving.version_origin import origin_of_answer

_MOST = 1_000  # rows of a page


class RecordView(APIView):
    """One prediction: its inputs, its answer, the version, and the outcome.

    ``origin`` leads from the answer to the training of its version.
    """

    @extend_schema(
        operation_id="prediction",
        summary="Read one prediction",
        tags=[PREDICTIONS],
        responses={200: ref("Prediction")},
    )
    def get(self, request: Request, identity: UUID) -> HttpResponse:
        found = record(identity, may_read(request))
        return _json(found | {"origin": _origin(**found)})


class RecordsView(APIView):
    """The caller's predictions, the newest first, a page at a time."""

    @extend_schema(
        operation_id="predictions",
        summary="Read predictions, the newest first",
        tags=[PREDICTIONS],
        parameters=RECORDS_PARAMETERS,
        responses={200: ref("PredictionPage")},
    )
    def get(self, request: Request) -> HttpResponse:
        reach, search = may_read(request), _search(request.query_params)
        if reach.by_id:
            raise KeyNeeded("the list is for API keys; without one, ask for a prediction by its id")
        found, older = records(search, reach)
        response = _json({"predictions": found, "next": older})
        if older:
            query = request.query_params.copy()
            query["cursor"] = str(older)
            response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
        return response


def _origin(model: str, version: str, sha256: str, **_: Any) -> dict[str, str] | None:
    """Where the version's files come from: commit, run and so on; None if they are gone."""
    try:
        return dict(origin_of_answer(serving().registry.folder(model, version), sha256))
    except ArtifactError:
        return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace(" ", "+"))  # a query decodes a plus as a space
    moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    return max(moment, datetime(1970, 1, 1, tzinfo=UTC))


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= _MOST):
        raise ValueError(text)
    return int(text)


def _name(text: str) -> str:
    # PostgreSQL takes no NUL; no model has the replaced name
    return text if text.isprintable() else "-"


# How to read each parameter, and the message for a ValueError.
_PARAMETERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "reference": (str, ""),
    "model": (_name, ""),
    "since": (_moment, "since must be in ISO 8601, such as 2026-11-27T10:00Z"),
    "limit": (_limit, f"limit must be a whole number from 1 to {_MOST:,}"),
    "cursor": (UUID, "cursor must be the 'next' of a page"),
}


def _search(query: QueryDict) -> Search:
    """The query's parameters. Raises InvalidInput naming each that is unknown or wrong."""
    errors = [
        FieldError(shown(name), "there is no such parameter", nearest(name, list(_PARAMETERS)))
        for name in query
        if name not in _PARAMETERS
    ]
    errors += [
        FieldError(name, f"{name} is given at most once")
        for name in _PARAMETERS
        if len(query.getlist(name)) > 1
    ]
    asked: dict[str, Any] = {}
    for name, (read, rule) in _PARAMETERS.items():
        try:
            asked |= {name: read(text)} if (text := query.get(name)) else {}
        except (ValueError, OverflowError):
            errors.append(FieldError(name, rule))
    if errors:
        raise InvalidInput(errors)
    return Search(**asked)


def _json(content: Any) -> HttpResponse:
    return HttpResponse(json_text(content), content_type="application/json")
