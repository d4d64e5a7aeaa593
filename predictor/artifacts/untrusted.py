"""Untrusted text and JSON, made safe for people, terminals and programs."""

import json
import math
import re
import unicodedata
from collections import Counter
from typing import Any

from .errors import ArtifactError

MAX_TEXT = 500  # characters in a name, a label, a flag or a title
MAX_WORDS = 10_000  # characters in a text of several sentences
MAX_SHOWN = 80  # characters of untrusted text repeated in a message
MAX_DEPTH = 50  # lists and objects within each other
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters without ink
WHOLE = range(-(2**63), 2**64)  # the whole numbers that every JSON reader and writer can hold
_HALVES = re.compile("[\ud800-\udfff]")  # of surrogate pairs
_UNCLEAN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def is_clean(text: str, breaks: str = "") -> bool:
    """Whether ``text`` has no control characters (except ``breaks``) and no lone surrogates."""
    return all(found[0] in breaks for found in _UNCLEAN.finditer(text))


def is_label(text: str) -> bool:
    """Whether a request can name it: neither blank, nor too long, nor with a line break."""
    return bool(text.strip()) and len(text) <= MAX_TEXT and is_clean(text)


def is_invisible(character: str) -> bool:
    """Whether a character is invisible or reverses the text around it: U+202E, U+200B and so on."""
    return unicodedata.category(character) == "Cf" or character in _BLANK


def printable(text: str) -> str:
    """``text`` on one line, with characters unfit for a terminal or a page as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def shown(text: str, most: int = MAX_SHOWN) -> str:
    """``text`` fit for a message: printable, and cut to a limit."""
    text = printable(text[: most + 1])
    return text if len(text) <= most else f"{text[: most - 1]}…"


def sentence(text: str, most: int = MAX_TEXT) -> str:
    """A library's message, perhaps with untrusted text in it: as ``shown``, its lines joined."""
    return shown(" ".join(text[: 2 * most].split()), most)


class NotJSON(ValueError):
    """Text is not JSON; the message completes "the body …", ``key`` is a duplicate key."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


def parse_strict_json(text: str) -> Any:
    """JSON from a program: numbers are finite and keys are unique, else it raises NotJSON."""
    return _decoded(_STRICT, text)


def load_json(file: str, data: bytes) -> Any:
    """JSON from a file in any Unicode encoding. Raises ArtifactError when it is not JSON.

    NaN and infinity, which Python writes although JSON has neither, are read as null.
    """
    try:
        return _decoded(_LENIENT, data.decode(json.detect_encoding(data)))
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{file} is not JSON: byte {error.start} is no text") from error
    except NotJSON as error:
        raise ArtifactError(f"{file} {error}") from error


def read_json(file: str, data: bytes) -> dict[str, Any]:
    """The object in ``data``, read as by load_json, which any JSON writer can write again.

    Raises ArtifactError also for values that no JSON writer could pass on.
    """
    found = load_json(file, data)
    if not isinstance(found, dict):
        raise ArtifactError(f"{file} must hold an object")
    _check_level(file, [found])
    return found


def _decoded(decoder: json.JSONDecoder, text: str) -> Any:
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        said = error.msg.removesuffix(" at")
        where = f"at line {error.lineno} column {error.colno}"
        raise NotJSON(f"is not JSON: {said} {where}") from error
    except RecursionError as error:
        raise NotJSON("is nested too deeply") from error
    except NotJSON:
        raise
    except ValueError as error:  # a whole number of more digits than Python will convert
        raise NotJSON("has a number of too many digits") from error


def _no_constant(name: str) -> Any:
    raise NotJSON(f"has {name}, which is not JSON; numbers must be finite")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        key = shown(Counter(key for key, _ in pairs).most_common(1)[0][0])
        raise NotJSON(f"has the key '{key}' twice in one object", key)
    return made


_STRICT = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_unique)
_LENIENT = json.JSONDecoder(parse_constant=lambda _: None)


def _check_level(file: str, level: list[Any]) -> None:
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for thing in level:
            if isinstance(thing, dict):
                inner += thing
                inner += thing.values()
            elif isinstance(thing, list):
                inner += thing
            else:
                _check_value(file, thing)
        if not inner:
            return
        level = inner
    raise ArtifactError(f"{file} nests lists and objects more than {MAX_DEPTH} deep")


def _check_value(file: str, value: Any) -> None:
    if isinstance(value, str) and _HALVES.search(value):
        raise ArtifactError(f"{file} has half a surrogate pair: {sentence(value, 60)}")
    if isinstance(value, int) and value not in WHOLE:
        raise ArtifactError(f"{file} has a whole number of more than 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise ArtifactError(f"{file} has a number that is too large")
