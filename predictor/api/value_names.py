"""Names of listed values in generated code, where generators would give two of them the same."""

import re
from typing import Any

_NO_NAME = re.compile(r"\W+")


def name_values(place: Any) -> None:
    """Name the values of each ``enum`` at ``place`` of the document, and below it, where need be.

    Generators make a name of each value: of ``north`` and ``North`` the same one, and some end with
    that. ``x-enum-varnames`` is how openapi-generator, openapi-python-client and hey-api get
    other names; the numbers at their ends keep them apart.
    """
    values = place.get("enum") if isinstance(place, dict) else None
    if isinstance(values, list) and (names := _names([v for v in values if isinstance(v, str)])):
        place["x-enum-varnames"] = names
    for each in place.values() if isinstance(place, dict) else place:
        if isinstance(each, dict | list):
            name_values(each)


def _names(texts: list[str]) -> list[str]:
    """A name for each of ``texts``; none where those that generators make are different."""
    names = [_NO_NAME.sub("_", text).strip("_").upper() for text in texts]
    if len({name.casefold() for name in names}) == len(names):
        return []
    return [
        f"{name if name[:1].isalpha() else f'VALUE_{name}'}_{number}"
        for number, name in enumerate(names, start=1)
    ]
