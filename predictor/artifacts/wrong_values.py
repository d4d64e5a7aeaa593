"""The errors for a value that does not fit, in the caller's terms, with a suggestion."""

import difflib
import itertools
import json
import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from .errors import FieldError
from .untrusted import MAX_SHOWN, shown

_MAX_GUESS = 100  # a longer text is not a misspelt label
_MAX_COMPARED = 200  # names that a text is compared with letter by letter

Suggestion = str | int | float | bool | None


class WrongValueError(ValueError):
    """What is wrong with one field, and the value probably meant, if that is clear."""

    def __init__(self, message: str, suggestion: Suggestion = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion

    def described(self, field: str, *, guess: bool) -> FieldError:
        """The message for the caller; ``guess`` allows a search for what was probably meant."""
        return FieldError(field, self.message, self.suggestion)


class UnknownLabelError(WrongValueError):
    """A text that is not a label; ``fallback`` is the label for unknown ones."""

    def __init__(
        self,
        value: str,
        labels: Collection[str | None],
        unlisted: Iterable[str],
        fallback: str | None,
    ) -> None:
        super().__init__(f"{quoted(value)} is not a known label")
        self._value = value
        self._labels, self._unlisted, self._fallback = labels, unlisted, fallback

    def described(self, field: str, *, guess: bool) -> FieldError:
        """Suggests a label that is spelt much alike, else the fallback."""
        near = (
            nearest(self._value, [*filter(None, self._labels), *self._unlisted]) if guess else None
        )
        if self._fallback is None or near in self._labels:
            return FieldError(field, self.message + did_you_mean(near), near)
        stand_in = f"; {quoted(self._fallback)} is the label for what the model does not know"
        return FieldError(field, self.message + stand_in, self._fallback)


class UnknownFieldError(WrongValueError):
    """A field that the model does not have."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__("there is no such field")
        self._name = name
        self._known = known

    def described(self, field: str, *, guess: bool) -> FieldError:
        near = nearest(self._name, list(self._known)) if guess else None
        return FieldError(field, self.message + did_you_mean(near), near)


def nearest(text: str, known: Sequence[str], cutoff: float = 0.6) -> str | None:
    """The one of ``known`` that was probably meant by ``text``, or None."""
    if len(text) > _MAX_GUESS:
        return None
    meant = text.strip().casefold()
    by_folded = {label.strip().casefold(): label for label in reversed(known)}
    if meant in by_folded:
        return by_folded[meant]
    # of many names, compare only those that begin or end alike: the search must be short
    alike: Iterable[str] = by_folded
    if len(by_folded) > _MAX_COMPARED:
        alike = (n for n in by_folded if n[:3] == meant[:3] or n[-3:] == meant[-3:])
    compared = list(itertools.islice(alike, _MAX_COMPARED))
    close = difflib.get_close_matches(meant, compared, n=1, cutoff=cutoff)
    return by_folded[close[0]] if close else None


def number_in(text: str) -> int | float | None:
    """The finite number that ``text`` spells, or None."""
    try:
        number = float(text[:MAX_SHOWN])
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def did_you_mean(guess: Suggestion) -> str:
    """The end of a sentence that asks about ``guess``; empty without one."""
    if guess is None:
        return ""
    return f"; did you mean {quoted(guess) if isinstance(guess, str) else _bare(guess)}?"


def described(value: Any) -> str:
    """``value`` as a message names it: ``the text "three"``, ``null``, ``a list``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, int | float):
        return f"the number {short(value)}"
    return "a list" if isinstance(value, list) else "an object"


def quoted(text: str) -> str:
    """``text`` in quotes, shortened."""
    return f'"{short(text)}"'


def short(value: Any) -> str:
    """``value`` as text safe to send back: no lone surrogates, no control characters, short."""
    return shown(value if isinstance(value, str) else repr(value))


def _bare(guess: bool | float) -> str:
    return json.dumps(guess)
