"""The text of a setting as a value. Each error names the setting, its text and what it must be."""

import math
from collections.abc import Callable, Mapping
from typing import Any

TRUE = ("true", "on", "ok", "y", "yes", "1")
FALSE = ("false", "off", "n", "no", "0")


def given(
    settings: Mapping[str, str], name: str, default: Any, read: Callable[..., Any], *limits: Any
) -> Any:
    """The value of a setting; ``default`` where it is not set, or empty. Raises ValueError."""
    text = settings.get(name, "")
    return read(name, text, *limits) if text.strip() else default


def truth(name: str, text: str) -> bool:
    """True or false. Raises ValueError for any other word: a slip must not turn a guard off."""
    word = text.strip().lower()
    if word not in TRUE + FALSE:
        raise ValueError(f"{name} is {text!r}; it must be true or false")
    return word in TRUE


def whole(name: str, text: str, least: int = 0) -> int:
    """A whole number of ``least`` or more. Raises ValueError."""
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise ValueError(f"{name} is {text!r}; it must be a whole number of {least} or more")
    return number


def positive(name: str, text: str) -> float:
    """A finite number above 0, written with a point. Raises ValueError."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError(f"{name} is {text!r}; it must be a number above 0, such as 0.25")
    return number


def listed(text: str) -> list[str]:
    """What commas separate, without the spaces around it."""
    return [part for part in map(str.strip, text.split(",")) if part]
