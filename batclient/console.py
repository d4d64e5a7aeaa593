"""The contexts of the console's templates."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from batclient.forms import CaseForm
from batclient.printout import MAX_DIALS, Printout, blank, small_print
from batclient.recorded import case_address
from batclient.script_texts import script_texts
from batclient.wall_map import mappable
from batclient.what_if import has_curve, ranking_of_link, shown_flag, tabs, unranged
from batclient.why import WhyPanel, blank_why
from predictor.artifacts.version import ModelVersion

SCRIPTS = [
    f"batclient/{name}.js"
    for name in (
        "machine",
        "console",
        "printout",
        "show",
        "combobox",
        "what-if",
        "why",
        "files",
        "bulk",
    )
]


def answer_context(
    request: HttpRequest, model: ModelVersion, printout: Printout, why: WhyPanel
) -> dict[str, Any]:
    """The context of answer.html: the parts of the console that an answer changes."""
    return {
        "why": why,
        "why_asked": bool(printout.id),
        "why_link": f"{case_address(request, model, printout)}?why=true#why",
        "model": model,
        "printout": printout,
        "link": case_address(request, model, printout),
        "dials": _dials(model, printout),
    }


def console_context(
    request: HttpRequest,
    model: ModelVersion,
    form: CaseForm,
    printout: Printout | None,
    why: WhyPanel | None,
) -> dict[str, Any]:
    """The context of console.html: the same, and everything around it."""
    vary, flag_name = request.GET.get("vary", ""), request.GET.get("flag", "")
    case = form.item()
    curves = has_curve(model.contract)
    ranking = ranking_of_link(model, case, vary, flag_name)
    answered = {line.flag: line.score for line in printout.verdicts} if printout else {}
    return {
        **answer_context(request, model, printout or blank(model), why or blank_why(model)),
        "form": form,
        "tabs": tabs(model.contract, case),
        "unranged": unranged(model.contract),
        "has_curve": curves,
        "vary": vary,
        "ranking": ranking,
        "shown_flag": ranking.flag if ranking else shown_flag(model.contract, flag_name, answered),
        "has_map": len(mappable(model.contract)) > 1,
        "small_print": small_print(model),
        "bulk_url": request.build_absolute_uri(reverse("model-predict", args=[model.name])),
        "share_picture": request.build_absolute_uri(static("batclient/pictures/share.png")),
        "scripts": [*SCRIPTS, "batclient/curve.js"] if curves else SCRIPTS,
        "words": script_texts(),
    }


def _dials(model: ModelVersion, printout: Printout) -> list[dict[str, Any]]:
    """A dial per flag, or for the highest of many; at rest until there is an answer."""
    if model.scorer.kind == "value":
        return []
    lines = printout.verdicts
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
