"""The pages."""

import csv
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe

from batclient.forms import CaseForm, linked_form
from batclient.model_card import limits, sections
from batclient.pages import for_scripts, page, refusal, wants_json, with_model
from batclient.printout import MAX_DIALS, Printout, blank, print_answer, small_print
from batclient.script_texts import script_texts
from batclient.wall_map import draw, map_case, map_choice, mappable
from batclient.what_if import ranking, shown_flag
from predictor.artifacts.addresses import case_from, parameter
from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.version import ModelVersion
from predictor.http.problems import FOR_PROGRAMS
from predictor.models import Prediction
from predictor.predictions.asker import asker_of
from predictor.predictions.predict import predict
from predictor.predictions.sensitivity import comparable

SCRIPTS = [
    f"batclient/{name}.js"
    for name in ("machine", "console", "printout", "show", "combobox", "what-if", "files", "bulk")
]


# Compressed in spite of its token: Django masks that anew in every answer.
@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
@with_model
def console(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """The console of one model; a POST answers the case, as a page or (asked so) as JSON."""
    if request.method != "POST":
        form = linked_form(model, request.GET.dict())
        status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
        return _console(request, model, form, status=status)
    form = CaseForm(model.contract, request.POST)
    item = form.item()
    try:
        answer = predict(model, [item], asker_of(request, Prediction.Source.PAGE))[0]
    except InvalidInput as invalid:
        if wants_json(request):
            raise
        form.add_errors(invalid)
        return _console(request, model, form, status=HTTPStatus.BAD_REQUEST)
    printout = print_answer(model, item, answer)
    if wants_json(request):
        return JsonResponse(asdict(printout))
    return _console(request, model, form, printout)


def _console(
    request: HttpRequest,
    model: ModelVersion,
    form: CaseForm,
    printout: Printout | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    vary = request.GET.get("vary", "")
    flag = shown_flag(model.contract)
    context = {
        "model": model,
        "form": form,
        "printout": printout or blank(model),
        "dials": _dials(model, printout),
        "comparable": [
            {"name": f.name, "title": f.title, "parameter": parameter(f.name)}
            for f in comparable(model.contract)
        ],
        "vary": vary,
        "ranking": _ranking(model, case_from(model.contract, request.GET), vary),
        "flag": flag,
        "has_map": len(mappable(model.contract)) > 1,
        "small_print": small_print(model),
        "bulk_url": request.build_absolute_uri(reverse("model-predict", args=[model.name])),
        "scripts": SCRIPTS,
        "words": script_texts(),
    }
    return page(request, "batclient/console.html", context, status)


def _ranking(model: ModelVersion, item: dict[str, Any], vary: str) -> list[dict[str, Any]]:
    """The what-if scope's rows; none when the link does not name a whole case."""
    if not vary:
        return []
    try:
        return ranking(model, item, vary)
    except InvalidInput:
        return []


def _dials(model: ModelVersion, printout: Printout | None) -> list[dict[str, Any]]:
    """A dial per flag, the highest ones when they are many; at rest until there is an answer."""
    if model.scorer.kind == "value":
        return []
    lines = (printout or blank(model)).verdicts
    if len(lines) <= MAX_DIALS:
        lines = sorted(lines, key=lambda line: model.contract.flag_names.index(line.flag))
    return [
        {
            "title": line.title,
            "flag": line.flag,
            "text": line.text,
            "angle": round((line.percent or 0) - 50, 1),
        }
        for line in lines[:MAX_DIALS]
    ]


@gzip_page
@require_safe
@with_model
def model_card(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """What the model was trained on, how good it is, and what it is not for."""
    context = {"model": model, "limits": limits(model), "sections": sections(model)}
    return page(request, "batclient/card.html", context)


@gzip_page
@require_safe
@with_model
def wall_map(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """One flag's score over every pair of two features' values, as a table."""
    features = mappable(model.contract)
    if len(features) < 2:
        message = _("A map needs two selectors whose values can be listed; this model has fewer.")
        return refusal(request, HTTPStatus.NOT_FOUND, message)
    query = request.GET.dict()
    chosen = map_choice(model.contract, query)
    form = linked_form(model, map_case(model.contract, query))
    held = [field for field in form if field.name not in (chosen["rows"], chosen["columns"])]
    context: dict[str, Any] = {"model": model, "features": features, "chosen": chosen, "held": held}
    try:
        context["map"] = draw(model, query)
    except InvalidInput as invalid:
        context["errors"] = [f"{error.field}: {error.message}" for error in invalid.errors]
        return page(request, "batclient/map.html", context, HTTPStatus.BAD_REQUEST)
    return page(request, "batclient/map.html", context)


@require_safe
@for_scripts
@with_model
def wall_map_csv(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """The map for a spreadsheet."""
    drawn = draw(model, request.GET.dict())
    response = _csv(f"{model.name}-map.csv")
    csv.writer(response).writerows([[_inert(cell) for cell in row] for row in drawn.sheet()])
    return response


def _inert(cell: str | float) -> str | float:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(tuple("=+-@\t\r")) else cell


@require_safe
@with_model
def csv_template(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """A CSV to fill in for the bulk feed: the header, and one case as an example."""
    features = model.contract.features
    response = _csv(f"{model.name}.csv")
    csv.writer(response).writerows([[f.name for f in features], [f.example() for f in features]])
    return response


def _csv(filename: str) -> HttpResponse:
    disposition = f'attachment; filename="{filename}"'
    return HttpResponse(
        content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition}
    )


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """What browsers ask for on pages that name no icon, such as admin's."""
    return redirect(static("batclient/emblem.svg"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 made outside a view: a wrong Host header, too many form fields."""
    return _outside(request, HTTPStatus.BAD_REQUEST, _("This request cannot be understood."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _outside(request, HTTPStatus.FORBIDDEN, _("This is not allowed."))


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 where the form's token and the browser's cookie disagree; CSRF_FAILURE_VIEW."""
    message = _("This page is too old, or the browser keeps no cookies: load it again.")
    return refusal(request, HTTPStatus.FORBIDDEN, message)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _outside(request, HTTPStatus.NOT_FOUND, _("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """500, without a trace, and without the models: one of them may be the reason."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    if request.path_info.startswith(FOR_PROGRAMS):
        return HttpResponse(status=status)
    context = {"status": int(status), "message": _("An unexpected error; it has been logged.")}
    return render(request, "batclient/message.html", context, status=status)


def _outside(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """A page for people; for programs predictor.http.middleware makes the problem document."""
    if request.path_info.startswith(FOR_PROGRAMS):
        return HttpResponse(status=status)
    return refusal(request, status, message)
