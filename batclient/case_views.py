"""The page of one recorded case, and its picture. CASE_PAGES sets who may see them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from batclient.pages import page, with_model
from batclient.picture import draw_verdict
from batclient.recipes import recipes
from batclient.recorded import recorded, row_of, shown_inputs
from batclient.refusals import refusal
from batclient.why import WhyPanel, why_panel
from predictor.artifacts.addresses import parameter
from predictor.artifacts.texts import text_of
from predictor.artifacts.version import ModelVersion
from predictor.log import history
from predictor.log.history import Case
from predictor.predictions.attribution import is_exact

_A_DAY = 24 * 3600  # seconds: an answer never changes, but it may be deleted


@gzip_page
@require_safe
@with_model
def case(request: HttpRequest, model: ModelVersion, identity: UUID) -> HttpResponse:
    """The recorded printout; opening it calls no model and writes nothing."""
    row = history.find(model.name, identity)
    if row is None:
        return _unknown(request)
    known = shown_inputs(row, model.contract)
    whole = len(known) == len(model.contract.features)
    names = {flag.name: flag.title for flag in model.contract.flags}
    outcome = getattr(row, "outcome", None)
    context = {
        "model": model,
        "printout": recorded(row, model),
        "address": request.build_absolute_uri(reverse("case", args=[model.name, identity])),
        "picture": request.build_absolute_uri(reverse("case-picture", args=[model.name, identity])),
        "whole": whole,
        "fields": [(parameter(name), text_of(value)) for name, value in known.items()],
        "recipes": recipes(request, model, known) if whole else [],
        "happened": names.get(outcome.flag, outcome.flag) if outcome else "",
        "right": bool(outcome and outcome.flag == row.top_flag),
        "same_version": row.sha256 == model.sha256,
        "why": _why(model, row, known, wanted=request.GET.get("why") == "true"),
        "why_asked": True,
        # a restricted page must not stay in the cache of a shared browser
        "may_keep": settings.PAGES == settings.CASE_PAGES == "open",
        "why_link": "?why=true#why",
    }
    return page(request, "batclient/case.html", context)


def _why(
    model: ModelVersion, row: Case, known: Mapping[str, Any], *, wanted: bool
) -> WhyPanel | None:
    """The explanation of the answer; if the estimator must compute it, empty until requested."""
    asked = row_of(row, model)
    if asked is None:
        return None
    return why_panel(model, asked, known, row.scores) if wanted or is_exact(model) else WhyPanel()


@require_safe
@with_model
def picture(request: HttpRequest, model: ModelVersion, identity: UUID) -> HttpResponse:
    """The verdict as a PNG, for previews of the page's link."""
    row = history.find(model.name, identity)
    if row is None:
        return _unknown(request)
    drawn = draw_verdict(recorded(row, model))
    headers = {"Cache-Control": f"max-age={_A_DAY}"}
    return HttpResponse(drawn, content_type="image/png", headers=headers)


def _unknown(request: HttpRequest) -> HttpResponse:
    message = _(
        "There is no case with this number on file. It may have been deleted, or not be on record "
        "yet: then it is here within minutes."
    )
    return refusal(request, HTTPStatus.NOT_FOUND, message)
