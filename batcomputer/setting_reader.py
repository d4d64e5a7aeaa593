"""Reads settings from the environment. One that cannot be read stops the process."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from predictor.artifacts.setting import given, listed, positive, truth, whole

_READ = {bool: truth, float: positive, int: whole}


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
