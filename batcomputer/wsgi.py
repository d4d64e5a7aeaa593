"""The entry point for gunicorn."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "batcomputer.settings")

everything = get_wsgi_application()

from predictor.http.short_way import PredictHandler  # noqa: E402 - it needs Django set up

predictions = PredictHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Predictions by the short way, everything else by Django's own."""
    path = environ.get("PATH_INFO", "")
    hot = path.endswith("/predict") and path.startswith("/api/")
    return (predictions if hot else everything)(environ, start_response)
