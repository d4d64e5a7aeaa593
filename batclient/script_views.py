"""What the console's scripts ask for beside the page.

The services are the API's own. A page asks for no key, so these need the form's token.
"""

from dataclasses import asdict
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http import StreamingHttpResponse as Streamed
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from batclient.pages import for_scripts, scoring, with_model
from batclient.printout import score_in_words
from batclient.what_if import ranking
from predictor.api.csv_files import Most, stream_csv
from predictor.artifacts.addresses import case_from
from predictor.artifacts.version import ModelVersion
from predictor.http.parsers import CSVParser
from predictor.log import outcomes
from predictor.predictions.asker import Source, asker_of, counter_of


@require_safe
@for_scripts
@scoring
@with_model
def what_if(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """The case of the query over every value of one feature, and how that looks."""
    vary, flag_name = request.GET.get("vary", ""), request.GET.get("flag", "")
    ranked = ranking(model, case_from(model.contract, request.GET), vary, flag_name)
    kind = model.scorer.kind
    options = [
        {**asdict(option), "words": {f: score_in_words(s, kind) for f, s in option.scores.items()}}
        for option in ranked.options
    ]
    drawn = render_to_string("batclient/ranking.html", {"vary": vary, "ranking": ranked})
    return JsonResponse({"vary": vary, "options": options, "html": drawn})


@require_POST
@for_scripts
@with_model
def bulk(request: HttpRequest, model: ModelVersion) -> Streamed:
    """A CSV, answered with the flags appended."""
    asker = asker_of(request, Source.CSV)
    most = Most(settings.PAGE_CSV_MAX_ROWS, counter_of(request))
    file = CSVParser().parse(request, None, {"request": request})
    return stream_csv(model, file, asker, most)


@require_POST
@for_scripts
def outcome(request: HttpRequest, name: str, identity: UUID) -> HttpResponse:
    """What really happened, for one printout."""
    flag, prediction = outcomes.tell(identity, request.POST.get("outcome", ""))
    return JsonResponse({"outcome": flag, "correct": flag == prediction.top_flag})
