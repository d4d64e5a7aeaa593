"""/api/docs: the OpenAPI document to read and try."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.response import Response


class DocsView(SpectacularSwaggerView):
    """Swagger UI in the console's colours; it sends requests to this server only."""

    template_name = "predictor/docs.html"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        assert isinstance(response.data, dict)  # noqa: S101 - for mypy
        response.data["has_console"] = settings.PAGES != "off"
        return response
