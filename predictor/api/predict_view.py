"""The view of predictions: it parses, calls one service function, responds."""

from __future__ import annotations

from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

import orjson
from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from predictor.api.again import claimed
from predictor.api.csv_files import RowLimit, stream_csv
from predictor.api.parameters import PREDICT_PARAMETERS
from predictor.api.tags import ANY
from predictor.api.wanted import ID, PLAIN, Wanted, wanted_by
from predictor.artifacts.support import DETAILS
from predictor.artifacts.version import ModelVersion
from predictor.http.errors import MalformedBody
from predictor.http.parsers import CSVParser, StrictJSONParser
from predictor.http.renderers import CSVRenderer, JSONRenderer
from predictor.http.short_way import PlainAnswer, PlainRequest
from predictor.predictions.attribution import EXPLAIN, Unexplained, attribute
from predictor.predictions.once import predict_once
from predictor.predictions.origin import Origin, Source, counter_of, origin_of, trial_key
from predictor.predictions.predict import ALONE, IN_ARRAY, MAX_ITEMS, Answer, Terms, predict
from predictor.predictions.references import split_references
from predictor.serving.current import serving


class PredictView(APIView):
    """Score one item, or an array of up to 1,000; every answer is recorded."""

    parser_classes = (StrictJSONParser, CSVParser)
    renderer_classes = (JSONRenderer, CSVRenderer)

    @extend_schema(
        operation_id="predict",
        summary="Score one item, or many",
        tags=[ANY],
        request=OpenApiTypes.OBJECT,
        responses=OpenApiTypes.OBJECT,
        parameters=PREDICT_PARAMETERS,
    )
    def post(
        self, request: Request | PlainRequest, name: str = ""
    ) -> HttpResponse | StreamingHttpResponse:
        model = serving().active(name)
        if request.META.get("CONTENT_LENGTH") in _NOTHING:  # REST framework would read {}
            raise MalformedBody("the body is empty; send JSON or CSV")
        wanted = wanted_by(request)
        origin = origin_of(request, Source.API)
        model = version_for(request, origin, model)
        body = request.data
        if not isinstance(body, SpooledTemporaryFile):
            return _json_answer(model, body, origin, wanted, counter_of(request))
        limit = RowLimit(settings.CSV_MAX_ROWS, counter_of(request))
        source = origin._replace(source=Source.CSV)
        return stream_csv(model, cast("BinaryIO", body), source, limit, wanted)


_NOTHING = (None, "", "0")  # Content-Length of an empty body


def version_for(
    request: Request | PlainRequest, origin: Origin, model: ModelVersion
) -> ModelVersion:
    """``model``, or the candidate that this caller gets instead."""
    if not serving().trials:
        return model
    return serving().version_for(model, trial_key(request, origin))


def _json_answer(
    model: ModelVersion,
    body: Any,
    origin: Origin,
    wanted: Wanted,
    count_rows: Callable[[int], None],
) -> HttpResponse:
    """The answer to one item, or to an array of them in the same order."""
    in_array = isinstance(body, list)
    items = body if in_array else [body]
    if in_array:
        count_items(len(items), count_rows, "an array must hold", "[]")
    if wanted is PLAIN:
        answers = predict(model, items, origin, IN_ARRAY if in_array else ALONE)
        shown: list[Any] = [orjson.Fragment(one.shown.text) for one in answers]
    else:
        answers, shown = _more_than_scores(model, body, origin, wanted)
    return json_response(shown if in_array else shown[0], answers[0])


def count_items(items: int, count_rows: Callable[[int], None], rule: str, field: str) -> None:
    """Count a request's items with ``count_rows``. Raises MalformedBody if there are too many."""
    if not 1 <= items <= MAX_ITEMS:
        raise MalformedBody(f"{rule} 1 to {MAX_ITEMS:,} items, not {items:,}", field)
    count_rows(items)


def json_response(content: Any, first: Answer) -> HttpResponse:
    """``content``, with the id and the version of the ``first`` answer in its headers.

    In an array, the ids of the other answers follow this one in the log, in order.
    """
    headers = {"X-Prediction-Id": str(first.id), "X-Model-Version": first.version}
    return PlainAnswer(orjson.dumps(content), headers)


def _more_than_scores(
    model: ModelVersion, body: Any, origin: Origin, wanted: Wanted
) -> tuple[list[Answer], list[dict[str, Any]]]:
    """The answers, and each one's content: the scores and the ``wanted`` parts."""
    in_array, field = isinstance(body, list), wanted.reference
    items = body if in_array else [body]
    model, claim = claimed(model, wanted.key, origin, body, field)
    wanted.check(model.contract, len(items), in_array=in_array)
    asked, references = split_references(items, field, in_array=in_array)
    answers = predict_once(model, asked, origin, claim, Terms(in_array, None, references))
    with_ids = wanted.with_ids(in_array=in_array)
    shown = [
        ({ID: str(answer.id)} if with_ids else {})
        | ({field: item[field]} if field else {})
        | answer.scores
        | (_details(model, answer) if wanted.details else {})
        | ({EXPLAIN: _explanation(model, question, answer)} if wanted.explain else {})
        for item, question, answer in zip(items, asked, answers, strict=True)
    ]
    return answers, shown


def _details(model: ModelVersion, answer: Answer) -> dict[str, Any]:
    """The support of the scores, if it is in the model's support table."""
    support = model.support_of(answer.row) if answer.row else None
    return {} if support is None else {DETAILS: support.as_json()}


def _explanation(model: ModelVersion, item: Any, answer: Answer) -> dict[str, Any]:
    """The attribution, or why there is none, which is not an error of the request."""
    if answer.version != model.version:
        return {"problem": "another version gave this answer"}
    try:
        return attribute(model, answer.row or model.encoder.encode(item)).as_json()
    except Unexplained as unexplained:
        return {"problem": str(unexplained)}
