"""The entry point for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "batcomputer.settings")

everything = get_wsgi_application()

from predictor.http.short_way import ShortWay  # noqa: E402 - it needs Django set up

application = ShortWay(everything)
