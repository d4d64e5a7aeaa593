"""The language of a page: the person's choice, else the browser's, if we ship it."""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from predictor.http.problems import is_for_programs


class PageLanguage(LocaleMiddleware):
    """Middleware that answers programs and administrators in English, ignoring Accept-Language.

    Otherwise Django's texts would be in another language than ours on the same page.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Django's hook before the views."""
        path = request.path_info
        if not (is_for_programs(path) or path.startswith(_ADMIN)):
            super().process_request(request)
            return
        translation.activate(settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = settings.LANGUAGE_CODE


_ADMIN = "/admin/"
