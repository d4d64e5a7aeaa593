"""Outcomes and refusals in Django admin: to read them, and to import outcomes from a CSV."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path

from predictor.admin.reading import ReadOnly
from predictor.artifacts.figures import counted
from predictor.log.outcome_files import import_csv
from predictor.log.reports import Reach
from predictor.models import Outcome, Refusal
from predictor.spreadsheets.reading import UnreadableCSV

if TYPE_CHECKING:
    OutcomeAdminBase = admin.ModelAdmin[Outcome]
    RefusalAdminBase = admin.ModelAdmin[Refusal]
else:
    OutcomeAdminBase = RefusalAdminBase = admin.ModelAdmin


class OutcomesForm(forms.Form):
    """A CSV of outcomes."""

    file = forms.FileField(
        label="CSV file",
        help_text="Columns: id or reference, outcome, and optionally time and note.",
    )


@admin.register(Outcome)
class OutcomeAdmin(ReadOnly, OutcomeAdminBase):
    """Reported outcomes; the API or a CSV corrects them, they cannot be edited here."""

    list_display = ("prediction_id", "flag", "time")
    list_per_page = 50
    ordering = ("-prediction_id",)
    raw_id_fields = ("prediction",)
    show_full_result_count = False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Outcomes"})

    def get_urls(self) -> list[URLPattern]:
        importing = path(
            "import/",
            self.admin_site.admin_view(self.import_outcomes),
            name="predictor_outcome_import",
        )
        return [importing, *super().get_urls()]

    def import_outcomes(self, request: HttpRequest) -> HttpResponse:
        """The form to upload a CSV; the log entry names the user."""
        if not request.user.has_perm("predictor.add_outcome"):
            raise PermissionDenied
        form = OutcomesForm(request.POST or None, request.FILES or None)
        if form.is_valid() and self._imported(request, form):
            return redirect("admin:predictor_outcome_changelist")
        context = {**self.admin_site.each_context(request), "form": form, "opts": self.opts,
                   "title": "Import outcomes"}  # fmt: skip
        return render(request, "admin/predictor/outcome/import.html", context)

    def _imported(self, request: HttpRequest, form: OutcomesForm) -> bool:
        file = form.cleaned_data["file"]
        try:
            imported = import_csv(file, Reach(request.user.get_username()[:64]))
        except UnreadableCSV as error:
            form.add_error("file", str(error))
            return False
        recorded = f"{counted(imported.recorded, 'outcome')} recorded"
        LogEntry.objects.create(
            user_id=request.user.pk,  # type: ignore[misc] # only users can open admin
            content_type=ContentType.objects.get_for_model(Outcome),
            object_repr=file.name[:200],
            action_flag=ADDITION,
            change_message=f"{recorded}, {imported.refused} refused",
        )
        messages.success(request, f"{recorded}.")
        if imported.refused:
            refused = counted(imported.refused, "row was", "rows were")
            first = "is" if len(imported.problems) == 1 else "are"
            messages.warning(request, f"{refused} not taken. The first {first}:")
        for problem in imported.problems:
            messages.warning(request, problem)
        return True


@admin.register(Refusal)
class RefusalAdmin(ReadOnly, RefusalAdminBase):
    """What was wrong with requests, by day."""

    list_display = ("day", "kind", "model", "field", "value", "count")
    list_filter = ("kind", "day", "model")
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("value",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Refusals"})
