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
    inner = place.values() if isinstance(place, dict) else place
    if isinstance(place, dict) and isinstance(place.get("enum"), list):
        texts = [value for value in place["enum"] if isinstance(value, str)]
        names = [_NO_NAME.sub("_", text).strip("_").upper() for text in texts]
        if len({name.casefold() for name in names}) < len(names):
            place["x-enum-varnames"] = [
                f"{name if name[:1].isalpha() else f'VALUE_{name}'}_{number}"
                for number, name in enumerate(names, start=1)
            ]
    for each in inner:
        if isinstance(each, dict | list):
            name_values(each)
