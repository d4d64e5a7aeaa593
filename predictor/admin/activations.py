"""Which version answers, in Django admin: the versions, a comparison, and the buttons."""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from predictor.admin.installed import installed_models
from predictor.admin.reading import ReadOnly
from predictor.admin.shadows import shadow_page
from predictor.admin.story import end_trial_page, story_page
from predictor.artifacts.errors import ArtifactError, ScoringError
from predictor.artifacts.files import read_version
from predictor.models import Activation
from predictor.serving.activation import ActivationError, activate, in_service, roll_back
from predictor.serving.comparison import Comparison, compare_versions, logged_inputs
from predictor.serving.current import serving
from predictor.serving.errors import ModelUnavailable
from predictor.serving.loading import load_beside
from predictor.serving.verdicts import objection, verdicts_shown
from predictor.serving.version_origin import origin_of

if TYPE_CHECKING:
    ActivationAdminBase = admin.ModelAdmin[Activation]
else:
    ActivationAdminBase = admin.ModelAdmin

logger = logging.getLogger(__name__)

CHANGELIST = "admin:predictor_activation_changelist"


class ReasonForm(forms.Form):
    """The reason, which is kept with the decision."""

    reason = forms.CharField(max_length=500, required=False, label="Why")
    force = forms.BooleanField(required=False, label="Activate it although its rules refuse it")
    instead_of = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)


@admin.register(Activation)
class ActivationAdmin(ReadOnly, ActivationAdminBase):
    """Every installed version, and below them every decision; decisions cannot be changed."""

    list_display = ("time", "model", "version", "kind", "state", "previous", "by", "reason")
    list_display_links = None
    list_filter = ("model", "kind")
    show_facets = admin.ShowFacets.NEVER

    @admin.display
    def state(self, decision: Activation) -> str:
        """The result of the decision."""
        if decision.refused:
            return f"refused: {decision.problem}"
        return f"cannot be served: {decision.problem}" if decision.problem else "done"

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"predictor_{name}")

        return [
            page("<str:model>/rollback/", require_POST(self.roll_back), "rollback"),
            page("<str:model>/story/", partial(story_page, self), "story"),
            page("<str:model>/trial/", require_POST(partial(end_trial_page, self)), "end_trial"),
            page("<str:model>/shadow/", require_POST(partial(shadow_page, self)), "shadow"),
            page("<str:model>/<str:version>/compare/", self.compare, "compare"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {
            "title": "Versions, and who activated them",
            "models": installed_models(),
            "may_activate": _may_activate(request),
        }
        return super().changelist_view(request, context)

    def compare(self, request: HttpRequest, model: str, version: str) -> HttpResponse:
        """Compare the version with the active one; a POST activates it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if model not in serving().names() or version not in serving().registry.versions(model):
            raise Http404
        if request.method == "POST":
            force = request.POST.get("force") == "on"
            return self._decide(request, partial(activate, model, version, force=force))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{model} {version}",
            "model": model,
            "version": version,
            "may_activate": _may_activate(request) and not serving().pinned(model),
            "form": ReasonForm(initial={"instead_of": in_service(model)}),
            **_known(model, version),
            **_compared(model, version),
        }
        return TemplateResponse(request, "admin/predictor/activation/compare.html", context)

    def roll_back(self, request: HttpRequest, model: str) -> HttpResponse:
        """Go back to the version before."""
        return self._decide(request, lambda by, why, _: roll_back(model, by, why))

    def _decide(
        self, request: HttpRequest, act: Callable[[str, str, str | None], Activation]
    ) -> HttpResponse:
        if not _may_activate(request):
            raise PermissionDenied
        form = ReasonForm(request.POST)
        if not form.is_valid():
            wrong = " ".join(str(error) for errors in form.errors.values() for error in errors)
            messages.error(request, f"Nothing was switched: {wrong}")
            return redirect(CHANGELIST)
        try:
            seen = form.cleaned_data["instead_of"] or None
            done = act(request.user.get_username(), form.cleaned_data["reason"], seen)
        except (ActivationError, ArtifactError) as error:
            messages.error(request, str(error))
        else:
            self.log_addition(request, done, f"{done}, which {done.previous or 'nothing'} preceded")
            messages.success(
                request, f"Activated {done.model} {done.version}; every worker follows within 2 s."
            )
        return redirect(CHANGELIST)


def _may_activate(request: HttpRequest) -> bool:
    return request.user.has_perm("predictor.activate_version")


def _known(model: str, version: str) -> dict[str, Any]:
    """The version's verdicts and its origin; empty when its files cannot be read."""
    try:
        files = read_version(serving().registry.folder(model, version))
    except ArtifactError:
        return {}
    return {"verdicts": verdicts_shown(files), "origin": origin_of(files)}


def _compared(model: str, version: str) -> dict[str, Comparison | str | bool]:
    """The comparison for the page, or why there is none; only ``problem`` prevents activation."""
    folder = partial(serving().registry.folder, model)
    try:
        candidate = load_beside(folder(version), chosen=True)
    except ArtifactError as error:
        return {"problem": f"{version} cannot be served: {error}"}
    try:
        answering = serving().active(model)
        if answering.version == version and answering.sha256 == candidate.sha256:
            return {"answering": True}
        # a copy of the active version: calls to the active one itself would queue with requests
        active = load_beside(folder(answering.version), chosen=True)
        if active.sha256 != answering.sha256:  # the files on disk have changed
            active = answering
        return {
            "objection": objection(candidate),
            "compared": compare_versions(active, candidate, logged_inputs(model)),
        }
    except (ModelUnavailable, ArtifactError) as error:
        return {"incomparable": f"Nothing answers now, so there is nothing to compare: {error}"}
    except ScoringError as error:
        logger.warning("%s cannot be compared: %s", candidate.name, error)
        return {"incomparable": f"The two versions cannot be compared: {error}"}
