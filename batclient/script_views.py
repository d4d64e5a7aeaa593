"""The views that the console's scripts call.

They use the same services as the API. Pages need no key, so these views need the form's token.
"""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict
from typing import cast
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http import StreamingHttpResponse as Streamed
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from batclient.bulk import first_rows
from batclient.pages import for_scripts, scoring, with_model
from batclient.printout import score_in_words
from batclient.what_if import ranking
from batclient.why import why_panel
from predictor.api.csv_files import RowLimit, stream_csv
from predictor.artifacts.addresses import case_from
from predictor.artifacts.version import ModelVersion
from predictor.http.parsers import CSVParser
from predictor.log import outcomes
from predictor.predictions.origin import Source, counter_of, origin_of
from predictor.spreadsheets.workbooks import as_csv, is_workbook, sheet_read
from predictor.spreadsheets.xlsx import answered_workbook

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@for_scripts
@scoring
@with_model
def what_if(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """The query's case over every value of one feature, as HTML."""
    vary, flag_name = request.GET.get("vary", ""), request.GET.get("flag", "")
    ranked = ranking(model, case_from(model.contract, request.GET), vary, flag_name)
    options = [
        {**asdict(option), "words": _words(model, option.scores)} for option in ranked.options
    ]
    drawn = render_to_string("batclient/ranking.html", {"vary": vary, "ranking": ranked})
    shown = {"vary": vary, "flag": ranked.flag.name}
    return JsonResponse({**shown, "options": options, "html": drawn})


def _columns(model: ModelVersion) -> set[str]:
    """The columns by which to recognise the sheet of a workbook to read."""
    return {feature.name for feature in model.contract.features}


def _words(model: ModelVersion, scores: Mapping[str, float]) -> dict[str, str]:
    kind = model.scorer.kind
    return {f.name: score_in_words(scores[f.name], kind, f.unit) for f in model.contract.flags}


@require_safe
@for_scripts
@scoring
@with_model
def explain(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """Explain the answer to the query's case; records nothing."""
    case = case_from(model.contract, request.GET)
    row = model.encoder.encode(case)
    scores = dict(zip(model.contract.flag_names, model.score([row])[0], strict=True))
    drawn = {"why": why_panel(model, row, case, scores), "why_asked": True, "why_link": "#why"}
    return JsonResponse({"html": render_to_string("batclient/why.html", drawn)})


@require_POST
@for_scripts
@with_model
def bulk(request: HttpRequest, model: ModelVersion) -> Streamed:
    """Score a CSV or a workbook; the response has the same format, with the flags appended."""
    origin = origin_of(request, Source.CSV)
    limit = RowLimit(settings.PAGE_CSV_MAX_ROWS, counter_of(request))
    file = CSVParser().parse(request, None, {"request": request})
    if not is_workbook(file):
        return stream_csv(model, file, origin, limit)
    with file:
        answer = stream_csv(model, as_csv(file, _columns(model)), origin, limit)
    pieces = cast("Iterator[bytes]", answer.streaming_content)
    answer.streaming_content = answered_workbook(pieces, len(model.contract.flags))
    answer["Content-Type"] = WORKBOOK
    return answer


@require_POST
@for_scripts
@with_model
def bulk_preview(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """The first rows of a file for the bulk feed, and their errors; scores none of them.

    ``part``: only the beginning of the file was sent.
    """
    file = CSVParser().parse(request, None, {"request": request})
    names, book = _columns(model), is_workbook(file)
    with file, as_csv(file, names) if book else nullcontext(file) as read:
        first = first_rows(read, model, whole=request.GET.get("part") != "true")
        first.sheet = sheet_read(file, names) if book else ""
    drawn = render_to_string("batclient/bulk_preview.html", {"preview": first})
    return JsonResponse({"html": drawn, "errors": [asdict(error) for error in first.errors]})


@require_POST
@for_scripts
def outcome(request: HttpRequest, name: str, identity: UUID) -> HttpResponse:
    """Record the outcome of one printout's case."""
    flag, prediction = outcomes.record_outcome(identity, request.POST.get("outcome", ""))
    return JsonResponse({"outcome": flag, "correct": flag == prediction.top_flag})
