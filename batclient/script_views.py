"""What the console's scripts ask for beside the page.

The services are the API's own. A page asks for no key, so these stand under the form's token.
"""

from dataclasses import asdict
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http import StreamingHttpResponse as Streamed
from django.views.decorators.http import require_POST, require_safe

from batclient.pages import for_scripts
from batclient.printout import score_in_words
from predictor.api.csv_response import stream_csv
from predictor.artifacts.addresses import case_from
from predictor.http.parsers import CSVParser
from predictor.log import outcomes
from predictor.models import Prediction
from predictor.predictions.asker import asker_of
from predictor.predictions.sensitivity import compare
from predictor.serving.current import serving


@require_safe
@for_scripts
def what_if(request: HttpRequest, name: str) -> HttpResponse:
    """The case of the query over every value of one feature."""
    model = serving().active(name)
    vary = request.GET.get("vary", "")
    options = compare(model, case_from(model.contract, request.GET), vary)
    kind = model.scorer.kind
    told = [
        {**asdict(option), "words": {f: score_in_words(s, kind) for f, s in option.scores.items()}}
        for option in options
    ]
    return JsonResponse({"vary": vary, "options": told})


@require_POST
@for_scripts
def bulk(request: HttpRequest, name: str) -> Streamed:
    """A CSV, answered with the flags appended."""
    model = serving().active(name)
    file = CSVParser().parse(request, None, {"request": request})
    return stream_csv(model, file, asker_of(request, Prediction.Source.CSV))


@require_POST
@for_scripts
def outcome(request: HttpRequest, name: str, identity: UUID) -> HttpResponse:
    """What really happened, told of one printout."""
    flag = request.POST.get("outcome", "")
    prediction = outcomes.tell(identity, flag)
    return JsonResponse({"outcome": flag, "correct": flag == prediction.top_flag})
