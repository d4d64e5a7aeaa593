"""Django admin with the dashboard as its first page."""

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse_lazy

from predictor.admin.dashboard import dashboard
from predictor.admin.reading import DeclaredLookups

_DESKS = [
    (f"predictor.view_{model}", f"admin:predictor_{model}_changelist", title)
    for model, title in (
        ("prediction", "Predictions"), ("outcome", "Outcomes"), ("refusal", "Refusals"),
        ("activation", "Versions"),
    )
]  # fmt: skip


class BatcomputerAdminSite(AdminSite):
    """The admin, which opens with figures from the log."""

    site_header = site_title = "Batcomputer"
    site_url = reverse_lazy("console")  # type: ignore[assignment] # typed as a plain text
    index_title = "What the log shows"
    index_template = "admin/dashboard.html"
    enable_nav_sidebar = False  # the header links to our pages, and tables need the width

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models; their pages accept only the filters that they declare."""
        given = admin_class or ModelAdmin
        guarded = type(given.__name__, (DeclaredLookups, given), {"__module__": given.__module__})
        super().register(model_or_iterable, guarded, **options)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        may_see = request.user.has_perm
        desks = [(may_see(permission), name, title) for permission, name, title in _DESKS]
        return {**super().each_context(request), "desks": desks}

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        may_see = request.user.has_perm("predictor.view_prediction")
        shown = dashboard(request.GET) if may_see else None
        return super().index(request, {"dashboard": shown, **(extra_context or {})})
