"""Outcomes, reported for one prediction, or for many at once: JSON in and out, or CSV."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from predictor.api.csv_files import RowLimit
from predictor.api.reach import may_report
from predictor.api.record_schemas import ref
from predictor.api.tags import PREDICTIONS
from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.inputs import MAX_ERRORS
from predictor.artifacts.untrusted import shown
from predictor.http.errors import MalformedBody
from predictor.http.parsers import CSVParser, StrictJSONParser
from predictor.http.renderers import CSVRenderer, JSONRenderer
from predictor.log.outcome_files import NEEDED, OPTIONAL, OutcomeRows
from predictor.log.outcomes import record_outcome, record_outcomes
from predictor.log.reports import MAX_REPORTS, OutcomeReport, Reach, Receipt, ReportResult
from predictor.predictions.origin import counter_of
from predictor.spreadsheets.cells import escape_formula, verbatim_lines

_ADDED = ("result", "detail")  # columns of the response


class OutcomeView(APIView):
    """The reported outcome of one prediction; the last report counts."""

    @extend_schema(
        operation_id="tell_outcome",
        summary="Report what really happened",
        tags=[PREDICTIONS],
        request={"application/json": ref("OutcomeReport")},
        responses={200: ref("Outcome")},
    )
    def post(self, request: Request, identity: UUID) -> Response:
        flag, prediction = record_outcome(identity, _outcome(request.data), may_report(request))
        top = prediction.top_flag
        return Response(
            {"id": str(identity), "outcome": flag, "top_flag": top, "correct": flag == top}
        )


def _outcome(body: Any) -> str:
    if isinstance(body, dict) and body.keys() == {"outcome"} and isinstance(body["outcome"], str):
        return body["outcome"]
    raise MalformedBody('the body must be {"outcome": "<flag>"}', field="outcome")


class OutcomesView(APIView):
    """Outcomes of many predictions; each row of the response has the result."""

    parser_classes = (StrictJSONParser, CSVParser)
    renderer_classes = (JSONRenderer, CSVRenderer)

    @extend_schema(
        operation_id="tell_outcomes",
        summary="Report what really happened, of many",
        tags=[PREDICTIONS],
        request={"application/json": ref("BulkReports"), "text/csv": {"type": "string"}},
        responses={200: ref("BulkResults")},
    )
    def post(self, request: Request) -> HttpResponse | Response:
        body, reach = request.data, may_report(request)
        limit = RowLimit(settings.CSV_MAX_ROWS, counter_of(request))
        if isinstance(body, SpooledTemporaryFile):
            with closing(cast("BinaryIO", body)) as file:
                return _csv_answer(OutcomeRows(file, (*NEEDED, *OPTIONAL)), reach, limit)
        if not isinstance(body, list) or not 1 <= len(body) <= MAX_REPORTS:
            raise MalformedBody(f"send an array of 1 to {MAX_REPORTS:,} outcomes", field="[]")
        limit.note(len(body))
        return Response([_as_json(receipt) for receipt in _receipts(body, reach)])


def _receipts(items: list[Any], reach: Reach) -> Iterator[Receipt]:
    """The result of each item, in order. Raises InvalidInput when no item is a report."""
    reports = [_report(item) for item in items]
    if not any(isinstance(report, OutcomeReport) for report in reports):
        raise InvalidInput(
            [FieldError(f"[{at}]", str(one.detail)) for at, one in enumerate(reports[:MAX_ERRORS])
             if isinstance(one, Receipt)]
        )  # fmt: skip
    receipts = record_outcomes(
        (report for report in reports if isinstance(report, OutcomeReport)), reach
    )
    for report in reports:
        yield next(receipts) if isinstance(report, OutcomeReport) else report


def _report(item: Any) -> OutcomeReport | Receipt:
    if not isinstance(item, dict):
        return Receipt(ReportResult.MALFORMED, detail="it is not an object")
    if strange := sorted(item.keys() - {*NEEDED, *OPTIONAL}):
        return Receipt(
            ReportResult.MALFORMED, detail=f"it has the unknown field '{shown(strange[0])}'"
        )
    said = {name: value for name, value in item.items() if value is not None}
    if type(said.get("reference")) is int:
        said["reference"] = str(said["reference"])
    if wrong := [name for name, value in said.items() if not isinstance(value, str)]:
        return Receipt(ReportResult.MALFORMED, detail=f"{wrong[0]} must be text")
    if "outcome" not in said:
        return Receipt(ReportResult.MALFORMED, detail="it has no outcome")
    return OutcomeReport(**said)


def _as_json(receipt: Receipt) -> dict[str, str]:
    shown = {"result": str(receipt.result)}
    if receipt.id is not None:
        shown["id"] = str(receipt.id)
    return shown | {"detail": receipt.detail} if receipt.detail else shown


def _csv_answer(rows: OutcomeRows, reach: Reach, limit: RowLimit) -> HttpResponse:
    """The file with each row's result, sent once all outcomes are on record."""
    count = 0
    for count, _ in enumerate(rows.rows(), start=1):
        limit.check(count)
    if rows.broken or not count:
        raise MalformedBody(rows.broken or "the CSV has a header but no rows", field="row")
    limit.note(count)
    receipts = list(record_outcomes(rows.reports(), reach))
    dialect = rows.csv.dialect
    lines = itertools.chain([[*rows.csv.header, *_ADDED]], _lines(rows, receipts))
    own = [place for place, name in enumerate(rows.csv.header) if name not in _ADDED]
    places = [*own, len(rows.csv.header), len(rows.csv.header) + 1]
    answer = verbatim_lines(([line[place] for place in places] for line in lines), dialect)
    kind = f"text/csv; charset={dialect.charset}"
    return HttpResponse(dialect.mark + answer, content_type=kind)


def _lines(rows: OutcomeRows, receipts: list[Receipt]) -> Iterator[list[str]]:
    """The rows of the response, each as long as the header."""
    width, own = len(rows.csv.header), rows.csv.dialect.separator
    for (_, _, cells), one in zip(rows.csv.rows(), receipts, strict=True):
        padded = [*cells, *[""] * width][:width]
        yield [*padded, one.result.value, escape_formula(one.detail, own)]
