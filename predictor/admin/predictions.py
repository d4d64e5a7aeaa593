"""The log in Django admin: a list of cases, and a page per case."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from predictor.admin.case import case_page
from predictor.admin.case_filter import CaseFilter
from predictor.admin.export import export
from predictor.admin.filters import CaseQuery
from predictor.admin.listing import LogPage
from predictor.admin.reading import ReadOnly
from predictor.artifacts.errors import InvalidInput
from predictor.log.errors import UnknownPrediction
from predictor.log.notes import add_note
from predictor.log.outcomes import record_outcome
from predictor.log.reports import Reach
from predictor.models import Prediction

if TYPE_CHECKING:
    PredictionAdminBase = admin.ModelAdmin[Prediction]
else:
    PredictionAdminBase = admin.ModelAdmin


@admin.register(Prediction)
class PredictionAdmin(ReadOnly, PredictionAdminBase):
    """Filters, search, export and a page per case; only outcomes and notes can be added."""

    list_display = ("time", "top_flag")  # drawn by the page's template, as is a case
    fields = ("id",)
    list_filter = (CaseFilter,)
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER  # facets count the whole log
    sortable_by = ()
    actions = None
    search_fields = ("inputs",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LogPage

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        if "%00" in request.META.get("QUERY_STRING", ""):  # PostgreSQL refuses this character
            asked = request.GET.copy()
            for name, values in asked.lists():
                asked.setlist(name, [value.replace("\0", "") for value in values])
            request.GET = asked  # type: ignore[assignment] # typed as Django makes it: immutable
        return super().get_changelist_instance(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Prediction], search_term: str
    ) -> tuple[QuerySet[Prediction], bool]:
        text = search_term.strip()
        return CaseQuery(text=text).with_text(queryset) if text else queryset, False

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
            return path(
                route, self.admin_site.admin_view(view), name=f"predictor_prediction_{name}"
            )

        return [
            page("export/<slug:kind>/", self.export, "export"),
            page("<uuid:identity>/outcome/", require_POST(self.report), "report"),
            page("<uuid:identity>/note/", require_POST(self.note), "note"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Predictions"})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        may_report = request.user.has_perm("predictor.add_outcome")
        explain = request.GET.get("why") == "true"
        shown = case_page(row, explain=explain) if row else {}
        context = {**shown, "row": row, "may_report": may_report} if row else {}
        return super().change_view(request, object_id, form_url, {"title": "One case", **context})

    def export(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        return export(self, request, kind)

    def report(self, request: HttpRequest, identity: UUID) -> HttpResponse:
        """Report the outcome with one button."""
        flag, by = request.POST.get("flag", ""), Reach(request.user.get_username()[:64])
        return self._add(
            request, identity, lambda: record_outcome(identity, flag, by), f'reported "{flag}"'
        )

    def note(self, request: HttpRequest, identity: UUID) -> HttpResponse:
        """Add a person's note to the case."""
        text, by = request.POST.get("text", ""), request.user.get_username()
        return self._add(request, identity, lambda: add_note(identity, text, by), "added a note")

    def _add(
        self, request: HttpRequest, identity: UUID, act: Callable[[], object], done: str
    ) -> HttpResponse:
        if not request.user.has_perm("predictor.add_outcome"):
            raise PermissionDenied
        try:
            act()
        except UnknownPrediction as error:
            raise Http404(str(error)) from error
        except InvalidInput as refused:
            messages.error(request, f"Not on record: {refused}")
        else:
            row = Prediction.objects.get(id=identity)
            self.log_change(request, row, done)
            messages.success(request, f"On record: {done}.")
        return redirect("admin:predictor_prediction_change", identity)
