"""Shadow runs from admin: a candidate answers the logged requests, and the story shows it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from predictor.admin.event import BAD, MOST, PLAIN, Event, known
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.figures import counted
from predictor.models import Activation, ShadowRun
from predictor.serving.activation import in_service
from predictor.serving.current import serving
from predictor.trials.runs import ask_for_shadow, stop_shadow
from predictor.trials.shadow import ShadowError

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

_DAYS = {"7": "of the last 7 days", "30": "of the last 30 days", "": "of the whole log"}


class ShadowForm(forms.Form):
    """Which version answers, and how far back the requests go."""

    version = forms.ChoiceField(label="Version")
    days = forms.ChoiceField(label="What was asked", choices=list(_DAYS.items()), required=False)

    def __init__(self, model: str, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type] # a form's own
        here, now = serving().registry.versions(model), in_service(model)
        others = [version for version in reversed(here) if version != now]
        self.fields["version"].choices = [(each, each) for each in others]  # type: ignore[attr-defined]


def open_runs(model: str) -> list[ShadowRun]:
    """The runs that wait or are in progress."""
    return list(ShadowRun.objects.filter(model=model, finished=None))


def shadow_page(admin: "ModelAdmin[Activation]", request: HttpRequest, model: str) -> HttpResponse:
    """Start a shadow run, or ``stop`` one, and go back to the story."""
    if not request.user.has_perm("predictor.activate_version"):
        raise PermissionDenied
    by = request.user.get_username()
    if number := request.POST.get("stop", ""):
        if number.isdecimal() and stop_shadow(model, int(number[:18]), by):
            messages.success(request, "The shadow run was stopped.")
        else:
            messages.error(request, "The shadow run had already ended.")
        return redirect("admin:predictor_story", model)
    form = ShadowForm(model, request.POST)
    if not form.is_valid():
        messages.error(request, "Choose an installed version that is not in service.")
        return redirect("admin:predictor_story", model)
    days, version = form.cleaned_data["days"], form.cleaned_data["version"]
    try:
        ask_for_shadow(model, version, by, timedelta(days=int(days)) if days else None)
    except (ShadowError, ArtifactError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{version} will be asked; upkeep begins within two minutes.")
    return redirect("admin:predictor_story", model)


def shadowed(model: str) -> Iterator[Event]:
    """The shadow runs of candidates, and their results."""
    for run in ShadowRun.objects.filter(model=model)[:MOST]:
        since = f"{run.since:%Y-%m-%d %H:%M}" if run.since else ""
        facts = known([("by", run.by), ("not older than", since), ("found", run.result)])
        tone = BAD if run.failed else PLAIN
        yield Event(run.time, "shadow", run.version, _sentence(run), tone, facts)


def _sentence(run: ShadowRun) -> str:
    if run.failed:
        return f"replayed {counted(run.asked, 'logged case')}, then ended before the last one"
    if run.finished:
        return f"replayed {counted(run.asked, 'logged case')}"
    if run.total is None:
        return "waits to replay the log"
    total = counted(max(run.total, run.asked), "logged case")
    return f"is replaying the log: {run.asked:,} of {total} so far"
