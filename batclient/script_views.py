"""What the console's scripts ask for beside the page.

The services are the API's own. A page asks for no key, so these stand under the form's token.
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from http import HTTPStatus
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http import StreamingHttpResponse as Streamed
from django.views.decorators.http import require_POST, require_safe
from rest_framework.exceptions import APIException

from batclient.pages import problem_document
from batclient.printout import score_in_words
from predictor.api.csv_response import stream_csv
from predictor.artifacts.addresses import case_from
from predictor.artifacts.errors import InvalidInput, ScoringError
from predictor.http.parsers import CSVParser
from predictor.http.problems import problem
from predictor.log import outcomes
from predictor.models import Prediction
from predictor.predictions.predict import Asker
from predictor.predictions.sensitivity import compare
from predictor.serving.current import serving

View = Callable[..., HttpResponseBase]


def _for_scripts(view: View) -> View:
    """Whatever ``view`` refuses leaves as a problem document."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except InvalidInput as invalid:
            return _refused(HTTPStatus.BAD_REQUEST, str(invalid), invalid)
        except ScoringError:
            return _refused(HTTPStatus.INTERNAL_SERVER_ERROR, "the model gave no usable score")
        except APIException as error:
            return _refused(error.status_code, str(error.detail), error)

    return wrapped


def _refused(status: int, detail: str, error: Exception | None = None) -> HttpResponse:
    return problem_document(problem(status, detail, getattr(error, "errors", None)))


@require_safe
@_for_scripts
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
@_for_scripts
def bulk(request: HttpRequest, name: str) -> Streamed:
    """A CSV, answered with the flags appended."""
    model = serving().active(name)
    file = CSVParser().parse(request, None, {"request": request})
    return stream_csv(model, file, Asker(Prediction.Source.CSV))


@require_POST
@_for_scripts
def outcome(request: HttpRequest, name: str, identity: UUID) -> HttpResponse:
    """What really happened, told of one printout."""
    flag = request.POST.get("outcome", "")
    prediction = outcomes.tell(identity, flag)
    return JsonResponse({"outcome": flag, "correct": flag == prediction.top_flag})
