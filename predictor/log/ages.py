"""Ages as people write them. The settings import this module, so it imports nothing of Django."""

import re
from datetime import timedelta

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def age(text: str) -> timedelta:
    """Parse an age such as ``12h``, ``90d`` or ``52w``. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if not match:
        raise ValueError(f"{text!r} is no age; give a number and h, d or w, such as 90d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
