"""What the console's templates are filled with."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from batclient.forms import CaseForm
from batclient.printout import MAX_DIALS, Printout, blank, small_print
from batclient.script_texts import script_texts
from batclient.wall_map import mappable
from batclient.what_if import ranking_of_link, shown_flag, tabs
from predictor.artifacts.version import ModelVersion

SCRIPTS = [
    f"batclient/{name}.js"
    for name in ("machine", "console", "printout", "show", "combobox", "what-if", "files", "bulk")
]


def answer_context(request: HttpRequest, model: ModelVersion, printout: Printout) -> dict[str, Any]:
    """For answer.html: the parts of the console that an answer changes."""
    path = f"{reverse('model-console', args=[model.name])}?{printout.query}"
    return {
        "model": model,
        "printout": printout,
        "link": request.build_absolute_uri(path),
        "dials": _dials(model, printout),
    }


def console_context(
    request: HttpRequest, model: ModelVersion, form: CaseForm, printout: Printout | None
) -> dict[str, Any]:
    """For console.html: the same and everything around it."""
    vary, flag_name = request.GET.get("vary", ""), request.GET.get("flag", "")
    case = form.item()
    return {
        **answer_context(request, model, printout or blank(model)),
        "form": form,
        "tabs": tabs(model.contract, case),
        "vary": vary,
        "ranking": ranking_of_link(model, case, vary, flag_name),
        "shown_flag": shown_flag(model.contract, flag_name),
        "has_map": len(mappable(model.contract)) > 1,
        "small_print": small_print(model),
        "bulk_url": request.build_absolute_uri(reverse("model-predict", args=[model.name])),
        "scripts": SCRIPTS,
        "words": script_texts(),
    }


def _dials(model: ModelVersion, printout: Printout) -> list[dict[str, Any]]:
    """A dial per flag, the highest ones when they are many; at rest until there is an answer."""
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
