"""The pages."""

import random
from collections.abc import Iterable
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import set_language

from batclient.console import answer_context, console_context
from batclient.forms import CaseForm, linked_form
from batclient.model_card import model_card as card_of
from batclient.pages import for_scripts, page, scoring, wants_json, with_model
from batclient.printout import Printout, print_answer
from batclient.refusals import refusal
from batclient.sentences import in_language
from batclient.wall_map import draw, map_case, map_choice, mappable
from batclient.why import WhyPanel, why_at_once
from predictor.artifacts.addresses import address_of, parameter
from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.texts import cell_of, text_of
from predictor.artifacts.version import ModelVersion
from predictor.predictions.opening import chance_cases
from predictor.predictions.origin import Source, counter_of, origin_of
from predictor.predictions.predict import predict
from predictor.spreadsheets.cells import Cells, csv_lines


# Compressed despite the CSRF token: Django masks it differently in each response.
@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
@with_model
def console(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """The console of one model; a POST answers the case as a page, or as JSON on request."""
    if request.method != "POST":
        if request.GET.get("vary"):
            counter_of(request)(1)
        model.scorer.wake()  # a case follows within seconds
        return _console(request, model, linked_form(model, request.GET.dict()))
    form = CaseForm(model.contract, request.POST)
    item = form.item()
    try:
        answered = predict(model, [item], origin_of(request, Source.PAGE))[0]
    except InvalidInput as invalid:
        if wants_json(request):
            raise
        form.add_errors(invalid)
        return _console(request, model, form)
    printout = print_answer(model, item, answered)
    explained = why_at_once(model, answered.row, item, answered.scores)
    if not wants_json(request):
        return _console(request, model, form, printout, explained)
    context = answer_context(request, model, printout, explained)
    drawn = render_to_string("batclient/answer.html", context)
    return JsonResponse({**asdict(printout), "html": drawn})


def _console(
    request: HttpRequest,
    model: ModelVersion,
    form: CaseForm,
    printout: Printout | None = None,
    explained: WhyPanel | None = None,
) -> HttpResponse:
    context = console_context(request, model, form, printout, explained)
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return page(request, "batclient/console.html", context, status)


@require_safe
@with_model
def surprise(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """A random case: the console's form with it, or its values as JSON on request."""
    case = chance_cases(model.contract)(random.Random())  # noqa: S311 - not for security
    answer: HttpResponse
    if wants_json(request):
        answer = JsonResponse({parameter(name): text_of(value) for name, value in case.items()})
    else:
        console = reverse("model-console", args=[model.name])
        answer = redirect(f"{console}?{address_of(case)}")
    add_never_cache_headers(answer)
    return answer


@gzip_page
@require_safe
@with_model
def model_card(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """The model's training data, quality and limits.

    Users who may see outcomes in admin also see the figures from outcomes.
    """
    may_see = request.user.has_perm("predictor.view_outcome")
    answer = page(
        request, "batclient/card.html",
        {"model": model, "card": card_of(model, with_outcomes=may_see)},
    )  # fmt: skip
    if may_see:
        add_never_cache_headers(answer)
    return answer


@gzip_page
@require_safe
@scoring
@with_model
def wall_map(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """One flag's score over every pair of two features' values, as a table."""
    features = mappable(model.contract)
    if len(features) < 2:
        message = _("A map needs two selectors of known values or range; this model has fewer.")
        return refusal(request, HTTPStatus.NOT_FOUND, message)
    query = request.GET.dict()
    chosen = map_choice(model.contract, query)
    form = linked_form(model, map_case(model.contract, query))
    held = [field for field in form if field.name not in (chosen["rows"], chosen["columns"])]
    context: dict[str, Any] = {"model": model, "features": features, "chosen": chosen, "held": held}
    try:
        context["map"] = draw(model, query)
    except InvalidInput as invalid:
        context["errors"] = [f"{e.field}: {in_language(e.message)}" for e in invalid.errors]
        return page(request, "batclient/map.html", context, HTTPStatus.BAD_REQUEST)
    return page(request, "batclient/map.html", context)


@require_safe
@for_scripts
@scoring
@with_model
def wall_map_csv(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """The map for a spreadsheet."""
    drawn = draw(model, request.GET.dict())
    return _csv(f"{model.name}-map.csv", drawn.sheet())


@require_safe
@with_model
def csv_template(request: HttpRequest, model: ModelVersion) -> HttpResponse:
    """A CSV to fill in for the bulk feed: the header, and one case as an example."""
    features = model.contract.features
    names: Cells = [f.name for f in features]
    return _csv(f"{model.name}.csv", [names, [cell_of(f.example()) for f in features]])


def _csv(filename: str, rows: Iterable[Cells]) -> HttpResponse:
    return HttpResponse(
        csv_lines(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """The icon that browsers fetch for pages that name none, such as admin's."""
    return redirect(static("batclient/pictures/favicon.ico"))


@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """Remember the person's choice of language, and show the page again."""
    return set_language(request)


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Keeps search engines from admin, and from maps, what-ifs and random cases."""
    rules = ["User-agent: *", f"Disallow: {reverse('admin:index')}"]
    rules += [f"Disallow: {reverse('console')}*/{each}" for each in ("surprise", "map", "what-if")]
    return HttpResponse("\n".join([*rules, ""]), content_type="text/plain; charset=utf-8")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """The service worker that shows kept cases. Its URL has no hash, so browsers must revalidate.

    It is a view, not a static file, because a service worker controls only URLs below its own.
    """
    answer = render(request, "batclient/offline.js", content_type="text/javascript; charset=utf-8")
    answer["Cache-Control"] = "no-cache"
    return answer


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """The manifest with which a browser can install the console as an app."""
    home = reverse("console")
    icons = [
        {
            "src": static(f"batclient/pictures/icon-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for size, purpose in ((192, "any"), (512, "any maskable"))
    ]
    described = {
        "name": "Batcomputer",
        "short_name": "Batcomputer",
        "id": home,
        "start_url": home,
        "scope": home,
        "display": "minimal-ui",
        "background_color": "#080b11",
        "theme_color": "#0a0d13",
        "icons": icons,
    }
    return JsonResponse(described, content_type="application/manifest+json")
