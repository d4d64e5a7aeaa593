"""Text and JSON that a stranger wrote, made sure to be fit for people, terminals and programs."""

import json
import math
from typing import Any

from .errors import ArtifactError

MAX_TEXT = 500  # characters in a name, a label, a flag or a title
MAX_WORDS = 10_000  # characters in a text of several sentences
MAX_DEPTH = 50  # lists and objects within each other
_WHOLE = range(-(2**63), 2**64)  # the whole numbers that every JSON reader and writer can hold


def is_clean(text: str, breaks: str = "") -> bool:
    """Without control characters (but ``breaks``) and halves of surrogate pairs."""
    return not any(
        (ord(c) < 32 and c not in breaks) or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000
        for c in text
    )


def sentence(text: str, most: int = MAX_TEXT) -> str:
    """``text``, which a library may have made of a stranger's own, on one line and not too long."""
    shown = " ".join(text[: 2 * most].split())
    shown = "".join(c if is_clean(c) else f"\\u{ord(c):04x}" for c in shown)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def read_json(file: str, data: bytes) -> dict[str, Any]:
    """The object in ``data``, which any JSON writer can write again.

    NaN and infinity, which Python writes and JSON does not know, are read as null. Raises
    ArtifactError when it is no JSON, or holds what could not be passed on.
    """
    try:
        found = json.loads(data, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{file} is not JSON: {sentence(str(error), 200)}") from error
    if not isinstance(found, dict):
        raise ArtifactError(f"{file} must hold an object")
    _check_level(file, [found])
    return found


def _check_level(file: str, level: list[Any]) -> None:
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for thing in level:
            if isinstance(thing, dict):
                inner += thing
                inner += thing.values()
            elif isinstance(thing, list):
                inner += thing
            elif isinstance(thing, str):
                if any(0xD800 <= ord(c) < 0xE000 for c in thing if c > "\x7f"):
                    raise ArtifactError(f"{file} has half a surrogate pair: {sentence(thing, 60)}")
            elif isinstance(thing, int) and thing not in _WHOLE:
                raise ArtifactError(f"{file} has a whole number of more than 64 bits")
            elif isinstance(thing, float) and not math.isfinite(thing):
                raise ArtifactError(f"{file} has a number that is too large")
        if not inner:
            return
        level = inner
    raise ArtifactError(f"{file} nests lists and objects more than {MAX_DEPTH} deep")
