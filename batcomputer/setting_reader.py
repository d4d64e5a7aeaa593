"""Reads settings from the environment. One that cannot be read stops the process."""

import warnings
from collections.abc import Callable
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from predictor.artifacts.setting import given, listed, positive, truth, whole

_READ = {bool: truth, float: positive, int: whole}
_ENGINES = ("django.db.backends.sqlite3", "django.db.backends.postgresql")


class Settings(environ.Env):  # type: ignore[misc] # environ has no types
    """django-environ without its guesses: there an unknown word is false, and ``0,25`` is 0.25.

    An empty value counts as not set, except that of a text or a list. ``least``: the least value of
    a whole number where it is not 0.
    """

    def __init__(self, least: dict[str, int]) -> None:
        super().__init__()
        self._least = least

    def get_value(
        self,
        var: str,
        cast: Any = None,
        default: Any = environ.Env.NOTSET,
        parse_default: bool = False,
    ) -> Any:
        """What all of ``env.bool``, ``env.int`` and so on call. Raises ImproperlyConfigured."""
        limits = (self._least.get(var, 0),) if cast is int else ()
        try:
            if cast in _READ:
                return given(self.ENVIRON, var, default, _READ[cast], *limits)
        except ValueError as error:
            raise ImproperlyConfigured(str(error)) from None
        if cast is list and var in self.ENVIRON:
            return listed(self.ENVIRON[var])
        if cast is str and var in self.ENVIRON:
            return self.ENVIRON[var]  # as it is: a secret may begin with a dollar
        return super().get_value(var, cast, default, parse_default)

    def path(self, var: str, default: str) -> Any:
        """A folder or file; an empty text is not the current folder."""
        return environ.Path(self.ENVIRON.get(var, "").strip() or default)

    def db_url(self, var: str, default: str) -> Any:
        """A database. Empty is refused: a secret that is not there must not become another log."""
        found = self._url(
            super().db_url,
            var,
            default,
            "sqlite:///FILE or postgres://USER:PASSWORD@HOST:5432/NAME",
        )
        if found.get("ENGINE") not in _ENGINES:
            raise ImproperlyConfigured(f"{var} is neither sqlite:/// nor postgres://")
        return found

    def cache_url(self, var: str, default: str) -> Any:
        return self._url(super().cache_url, var, default, "redis://HOST:6379/0")

    def email_url(self, var: str, default: str) -> Any:
        return self._url(super().email_url, var, default, "smtp+tls://USER:PASSWORD@HOST:587")

    def _url(self, read: Callable[..., Any], var: str, default: str, form: str) -> Any:
        """What ``read`` finds in a URL. Its errors may quote a password, so they are not shown."""
        try:
            with warnings.catch_warnings(action="ignore"):
                return read(var, default=default)
        except (ValueError, ImproperlyConfigured):
            raise ImproperlyConfigured(
                f"{var} cannot be read; write {form}, and # / ? @ : % in a password as %23 %2F %3F "
                "%40 %3A %25"
            ) from None
