"""Registers the model server with Django."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PredictorConfig(AppConfig):
    """The model server."""

    name = "predictor"
    verbose_name = "Batcomputer"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from predictor import checks  # noqa: F401, PLC0415 - they need the settings


class BatcomputerAdminConfig(AdminConfig):
    """Django admin with the dashboard as its first page."""

    default_site = "predictor.admin.site.BatcomputerAdminSite"

    def ready(self) -> None:
        super().ready()
        # These modules register with the site, so the site's own import must not load them.
        for module in ("activations", "outcomes", "predictions", "record"):
            import_module(f"predictor.admin.{module}")
