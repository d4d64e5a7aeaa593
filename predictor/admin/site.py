"""Django admin with the dashboard as its first page."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse

from predictor.admin.dashboard import dashboard


class BatcomputerAdminSite(AdminSite):
    """The admin, opening with what the log tells."""

    site_header = site_title = "Batcomputer"
    index_title = "What the log tells"
    index_template = "admin/dashboard.html"

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        may_see = request.user.has_perm("predictor.view_prediction")
        told = dashboard(request.GET.get("days", "")) if may_see else None
        return super().index(request, {"dashboard": told, **(extra_context or {})})
