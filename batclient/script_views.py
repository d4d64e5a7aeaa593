"""What the console's scripts ask for beside the page.

The services are the API's own. A page asks for no key, so these need the form's token.
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
from predictor.api.csv_files import Most, stream_csv
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
    """The case of the query over every value of one feature, and how that looks."""
    vary, flag_name = request.GET.get("vary", ""), request.GET.get("flag", "")
    ranked = ranking(model, case_from(model.contract, request.GET), vary, flag_name)
    options = [
        {**asdict(option), "words": _words(model, option.scores)} for option in ranked.options
    ]
    drawn = render_to_string("batclient/ranking.html", {"vary": vary, "ranking": ranked})
    shown = {"vary": vary, "flag": ranked.flag.name}
    return JsonResponse({**shown, "options": options, "html": drawn})


def _columns(model: ModelVersion) -> set[str]:
    """By which the sheet of a workbook is known that the model is to read."""
    return {feature.name for feature in model.contract.features}


def _words(model: ModelVersion, scores: Mapping[str, float]) -> dict[str, str]:
    kind = model.scorer.kind
    return {f.name: score_in_words(scores[f.name], kind, f.unit) for f in model.contract.flags}


@require_safe
@for_scripts
@scoring
@with_model
def explain(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """Why the model answers so to the case of the query; nothing is put on record."""
    case = case_from(model.contract, request.GET)
    row = model.encoder.encode(case)
    scores = dict(zip(model.contract.flag_names, model.score([row])[0], strict=True))
    drawn = {"why": why_panel(model, row, case, scores), "why_asked": True, "why_link": "#why"}
    return JsonResponse({"html": render_to_string("batclient/why.html", drawn)})


@require_POST
@for_scripts
@with_model
def bulk(request: HttpRequest, model: ModelVersion) -> Streamed:
    """A CSV or a workbook, answered in kind with the flags appended."""
    origin = origin_of(request, Source.CSV)
    most = Most(settings.PAGE_CSV_MAX_ROWS, counter_of(request))
    file = CSVParser().parse(request, None, {"request": request})
    if not is_workbook(file):
        return stream_csv(model, file, origin, most)
    with file:
        answer = stream_csv(model, as_csv(file, _columns(model)), origin, most)
    pieces = cast("Iterator[bytes]", answer.streaming_content)
    answer.streaming_content = answered_workbook(pieces, len(model.contract.flags))
    answer["Content-Type"] = WORKBOOK
    return answer


@require_POST
@for_scripts
@with_model
def bulk_preview(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """The first rows of a file for the bulk feed, and what is wrong with them; none is answered.

    ``part``: the file goes on beyond what is sent.
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
    """What really happened, for one printout."""
    flag, prediction = outcomes.record_outcome(identity, request.POST.get("outcome", ""))
    return JsonResponse({"outcome": flag, "correct": flag == prediction.top_flag})
