"""A model's story: each version from its training on, with later decisions and findings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from predictor.admin.event import BAD, GOOD, MOST, PLAIN, Event, known
from predictor.admin.shadows import ShadowForm, open_runs, shadowed
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import MODEL, VersionFiles, read_version
from predictor.log.uuid7 import time_of
from predictor.models import Activation, Alarm, Prediction, Retraining, Trial, Verdict
from predictor.serving.activation import in_service
from predictor.serving.canary import end_trial
from predictor.serving.current import serving
from predictor.serving.errors import ModelUnavailable, UnknownModel
from predictor.serving.verdicts import verdict_in_words
from predictor.serving.version_origin import created, origin_of


@dataclass(frozen=True)
class Story:
    """The present state of a model, and its history, the newest first."""

    model: str
    answers: str
    pinned: str
    problem: str  # why the version in service does not answer, or empty
    trial: Trial | None
    events: list[Event]


def story_page(admin: "ModelAdmin[Activation]", request: HttpRequest, model: str) -> HttpResponse:
    """The story's page."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    known = model in serving().names() or Activation.objects.filter(model=model).exists()
    if not known:
        raise Http404
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": f"The story of {model}",
        "story": story_of(model),
        "may_decide": request.user.has_perm("predictor.activate_version"),
        "shadow": ShadowForm(model),
        "shadows": open_runs(model),
    }
    return TemplateResponse(request, "admin/predictor/activation/story.html", context)


def end_trial_page(
    admin: "ModelAdmin[Activation]", request: HttpRequest, model: str
) -> HttpResponse:
    """End the running trial, and go back to the story."""
    if not request.user.has_perm("predictor.activate_version"):
        raise PermissionDenied
    ended = end_trial(model, request.user.get_username(), request.POST.get("reason", ""))
    if ended is None:
        messages.error(request, f"No version of {model} is being tried.")
    else:
        messages.success(request, f"{ended.version} is no longer tried; workers follow within 2 s.")
    return redirect("admin:predictor_story", model)


def story_of(model: str) -> Story:
    """Collect everything on record about a model."""
    sources = (_made, _judged, _answered, _decided, _tried, _alarmed, _asked, shadowed)
    events = [event for source in sources for event in source(model)]
    events.sort(key=lambda event: event.time, reverse=True)
    pinned, trial = serving().pinned(model), Trial.running().get(model)
    return Story(model, in_service(model), pinned, _problem(model), trial, events)


def _problem(model: str) -> str:
    try:
        return serving().problem(model)
    except (ModelUnavailable, UnknownModel) as error:
        return str(error)


def _made(model: str) -> Iterator[Event]:
    """Events of a version's training, its verdict there, and its installation."""
    registry = serving().registry
    for version in registry.versions(model):
        folder = registry.folder(model, version)
        try:
            files = read_version(folder)
        except ArtifactError as error:
            yield Event(_placed(folder), "unreadable", version, f"{error}", BAD)
            continue
        facts = [(title, value) for title, value in origin_of(files) if title != "created"]
        facts.append(("fingerprint", files.fingerprint))
        if made := created(files.metadata):
            yield Event(made, "trained", version, _trained(files), facts=facts)
        yield Event(_placed(folder), "installed", version, "is in the server's folder of models")


def _trained(files: VersionFiles) -> str:
    verdict = verdict_in_words(files.metadata)
    if not verdict:
        return "made; no rules judged it in training"
    return f"made, and judged in training: {verdict}"


def _placed(folder: Path) -> datetime:
    """When the version was installed here."""
    file = folder / MODEL
    return datetime.fromtimestamp((file if file.exists() else folder).stat().st_ctime, UTC)


def _judged(model: str) -> Iterator[Event]:
    for row in Verdict.objects.filter(model=model)[:MOST]:
        tone = {"passed": GOOD, "refused": BAD}.get(row.result, PLAIN)
        sentence = f"judged on other cases: {verdict_in_words({'verdict': row.found})}"
        yield Event(row.time, "judged", row.version, sentence, tone, [("by", row.by)])


def _answered(model: str) -> Iterator[Event]:
    """The first logged answer of each version."""
    for version in {*serving().registry.versions(model), *Activation.chain(model)}:
        first = Prediction.objects.filter(model=model, version=version).order_by("id")
        identity = first.values_list("id", flat=True).first()
        if identity is not None:
            yield Event(time_of(identity), "answers", version, "its first answer on record")


def _decided(model: str) -> Iterator[Event]:
    for row in Activation.objects.filter(model=model)[:MOST]:
        facts = [("by", row.by), ("why", row.reason)]
        if row.refused:
            sentence = f"was not put in service: {row.problem}"
            yield Event(row.time, "refused", row.version, sentence, BAD, known(facts))
        elif row.kind == Activation.Kind.ROLLBACK:
            sentence = f"answers again, replacing {row.previous}"
            yield Event(row.time, "rolled back", row.version, sentence, BAD, known(facts))
        else:
            before = f", replacing {row.previous}" if row.previous else ""
            facts.append(("cannot be served now", row.problem))
            sentence = f"answers all callers{before}"
            yield Event(row.time, "activated", row.version, sentence, GOOD, known(facts))


def _tried(model: str) -> Iterator[Event]:
    for row in Trial.objects.filter(model=model)[:MOST]:
        until = f" until {row.ends:%Y-%m-%d %H:%M}" if row.ends else ""
        sentence = f"{row.percent} % of callers get it{until}"
        facts = known([("by", row.by), ("why", row.reason)])
        yield Event(row.started, "tried", row.version, sentence, facts=facts)
        if row.is_over:
            ended = row.ended or row.ends
            facts = known([("by", row.ended_by), ("why", row.ended_because)])
            if ended is not None:
                yield Event(ended, "trial ended", row.version, "no caller gets it any more",
                            facts=facts)  # fmt: skip


def _alarmed(model: str) -> Iterator[Event]:
    for row in Alarm.objects.filter(model=model)[:MOST]:
        sent = f"{row.alerted:%Y-%m-%d %H:%M}" if row.alerted else "not yet"
        found = "which" if row.kind == Alarm.Kind.DRIFT else "found"
        facts = known([(found, row.figures), ("then", row.done), ("people alerted", sent)])
        yield Event(row.time, "alarm", row.version, row.get_kind_display(), BAD, facts)


def _asked(model: str) -> Iterator[Event]:
    """Requests to retrain the model."""
    for row in Retraining.objects.filter(model=model)[:MOST]:
        facts = [("by", row.by), ("found", row.figures), ("run", row.run)]
        facts.append(("state", row.get_state_display() + (row.result and f": {row.result}")))
        if row.finished:
            facts.append(("finished", f"{row.finished:%Y-%m-%d %H:%M}"))
        tone = BAD if row.state == Retraining.State.FAILED else PLAIN
        why = dict(Alarm.Kind.choices).get(row.reason, "a person asked for it")
        sentence = f"a better one is to be trained: {why}"
        yield Event(row.time, "retraining", row.version, sentence, tone, known(facts))
