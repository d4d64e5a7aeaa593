"""The entry point for gunicorn."""

from django.core.wsgi import get_wsgi_application

from batcomputer import lean  # noqa: F401 - before Django is set up

everything = get_wsgi_application()

from django.conf import settings  # noqa: E402 - as below

from batcomputer.base_path import below  # noqa: E402
from predictor.http.short_way import ShortWay  # noqa: E402 - it needs Django set up

application = below(settings.BASE_PATH, ShortWay(everything))
