"""Names of enum values in generated code, where generators would give two the same name."""

import re
from typing import Any

_NO_NAME = re.compile(r"\W+")


def name_values(place: Any) -> None:
    """Name the values of each ``enum`` at and below ``place`` in the document, if needed.

    Generators make a name from each value: the same one from ``north`` and ``North``, at which some
    stop. openapi-generator, openapi-python-client and hey-api take other names from
    ``x-enum-varnames``; the numbers at their ends keep them distinct.
    """
    values = place.get("enum") if isinstance(place, dict) else None
    if isinstance(values, list) and (names := _names([v for v in values if isinstance(v, str)])):
        place["x-enum-varnames"] = names
    for each in place.values() if isinstance(place, dict) else place:
        if isinstance(each, dict | list):
            name_values(each)


def _names(texts: list[str]) -> list[str]:
    """A name for each of ``texts``; empty where the generated names would already differ."""
    names = [_NO_NAME.sub("_", text).strip("_").upper() for text in texts]
    if len({name.casefold() for name in names}) == len(names):
        return []
    return [
        f"{name if name[:1].isalpha() else f'VALUE_{name}'}_{number}"
        for number, name in enumerate(names, start=1)
    ]
