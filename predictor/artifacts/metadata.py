"""``metadata.json``: every key it may have, and the error for a misspelt one.

``docs/metadata.md`` lists the same keys with an example of each; a test compares the two.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from numbers import Integral, Real
from typing import Any

from .errors import ArtifactError
from .names import check_model_name, check_name
from .untrusted import MAX_TEXT, MAX_WORDS, is_clean, sentence
from .wrong_values import nearest

OUTPUTS_FROM = (
    "predict_proba", "predict", "decision_function", "score_samples", "transform", "return_std",
    "quantiles",
)  # fmt: skip

# The type of each key. Keys of the whole version:
VERSION_KEYS = {
    "name": "text", "version": "text", "title": "text", "description": "text", "created": "text",
    "sklearn_version": "text", "python_version": "text", "small_print": "text", "data": "object",
    "metrics": "object", "baseline": "object", "libraries": "object", "training": "object",
    "limits": "list of texts", "files": "object", "features": "object", "outputs": "object",
    "outputs_from": "one of a list", "quantiles": "list of numbers", "examples": "object",
    "verdict": "object", "slices": "list of objects", "untested": "object", "origin": "object",
    "explain": "object", "reliability": "object",
}  # fmt: skip
# of features.<name>:
FEATURE_KEYS = {
    "title": "text", "help": "text", "unit": "text", "group": "text", "type": "one of a list",
    "minimum": "number or date", "maximum": "number or date", "integer": "true or false",
    "default": "a value", "labels": "object", "passed_as": "one of a list", "missing":
    "true or false", "open": "true or false", "fallback": "a label", "unlisted": "list of texts",
    "max_length": "whole number",
}  # fmt: skip
# of outputs.<name>:
OUTPUT_KEYS = {"title": "text", "help": "text", "unit": "text"}

# Names that other tools use for these keys and that are not spelt alike.
_ALIASES = {
    "min": "minimum", "max": "maximum", "desc": "help", "nullable": "missing", "int": "integer",
    "maxlength": "max_length", "dtype": "type",
}  # fmt: skip
_MOST_COMPARED = 1_000  # of an owner's own keys; comparing each takes 60 µs
_ALIKE = 0.8  # an owner's own key, such as "date", is not a misspelling of "data"


def check_version_keys(metadata: Any) -> None:
    """Raises ArtifactError when a key of metadata.json has a value of the wrong type."""
    if not isinstance(metadata, Mapping):
        raise ArtifactError("metadata.json must hold an object")
    _check_spelling((("metadata.json", key) for key in unknown_keys(metadata, VERSION_KEYS)),
                    VERSION_KEYS)  # fmt: skip
    for key, check in (("name", check_model_name), ("version", lambda v: check_name("version", v))):
        if key in metadata:
            check(text(f"metadata.json: {key}", metadata[key]))
    for key in ("title", "description", "created", "sklearn_version", "python_version"):
        words(metadata, key, "metadata.json")
    for key in (
        "data",
        "metrics",
        "baseline",
        "files",
        "examples",
        "verdict",
        "untested",
        "origin",
        "explain",
    ):
        mapping(f"metadata.json: {key}", metadata.get(key, {}))
    for name, item in metadata.get("examples", {}).items():
        mapping(f"metadata.json: examples.{text('metadata.json: examples', name)}", item)
    chosen = metadata.get("outputs_from", OUTPUTS_FROM[0])
    if chosen not in OUTPUTS_FROM:
        raise ArtifactError(
            f"metadata.json: outputs_from is {chosen!r:.60}; it is one of {', '.join(OUTPUTS_FROM)}"
        )
    _check_quantiles(metadata)


def _check_quantiles(metadata: Mapping[str, Any]) -> None:
    levels = metadata.get("quantiles", [])
    good = isinstance(levels, list) and all(is_number(q) and 0 < q < 1 for q in levels)
    if not good or (metadata.get("outputs_from") == "quantiles" and not levels):
        raise ArtifactError(
            "metadata.json: quantiles must list numbers between 0 and 1, such as [0.1, 0.5, 0.9]"
        )


def _check_spelling(keys: Iterable[tuple[str, str]], known: Mapping[str, str]) -> None:
    """Raises ArtifactError for a key that is nearly one of ``known``: it would be ignored.

    ``keys`` are an owner's own, each with the place where it is. Only the first are compared: a
    web worker does this whenever it reads a version.
    """
    for where, key in islice(keys, _MOST_COMPARED):
        plain = key.replace("-", "_").replace(" ", "_")
        meant = _ALIASES.get(plain.casefold()) or nearest(plain, list(known), _ALIKE)
        if meant in known:
            raise ArtifactError(
                f"{where} has the key {sentence(key, 60)!r}; did you mean {meant!r}?"
            )


def unknown_keys(described: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[str]:
    """The owner's own keys."""
    return (str(key) for key in described if key not in known)


def own_keys(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Keys of features and outputs in metadata.json that have no meaning here."""
    for section, known in (("features", FEATURE_KEYS), ("outputs", OUTPUT_KEYS)):
        for name, described in metadata.get(section, {}).items():
            for key in unknown_keys(described, known):
                yield f"{section}.{sentence(str(name), 60)}.{sentence(key, 60)}"


def section(metadata: Mapping[str, Any], key: str, known: Sequence[str]) -> Mapping[str, Any]:
    """The objects under ``key``, which may describe only ``known`` names."""
    keys = FEATURE_KEYS if key == "features" else OUTPUT_KEYS
    found = mapping(f"metadata.json: {key}", metadata.get(key, {}))
    names = frozenset(known)
    for name, described in found.items():
        if name not in names:
            raise ArtifactError(
                f"metadata.json: {key} describes {name!r}, which is not in the model"
            )
        mapping(f"metadata.json: {key}.{name}", described)
    own = (
        (f"metadata.json: {key}.{name}", inner)
        for name, described in found.items()
        for inner in unknown_keys(described, keys)
    )
    _check_spelling(own, keys)
    return found


def mapping(what: str, value: Any) -> Mapping[Any, Any]:
    """``value``, which must be an object."""
    if not isinstance(value, Mapping):
        raise ArtifactError(f"{what} must be a mapping, not {type(value).__name__}")
    return value


def text(what: str, value: Any) -> str:
    """A name people will read: not empty, printable, encodable, of sane length."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise ArtifactError(f'{what} is missing: give it a name, such as "unknown"')
    if not isinstance(value, str):
        raise ArtifactError(f"{what} must be text, not {type(value).__name__}")
    if not value.strip():
        raise ArtifactError(f"{what} is empty")
    if len(value) > MAX_TEXT:
        raise ArtifactError(f"{what} is {len(value)} characters long; at most {MAX_TEXT}")
    if not is_clean(value):
        raise ArtifactError(f"{what} has a control character or half a surrogate pair: {value!r}")
    return str(value)


def written(what: str, value: Any) -> str:
    """As ``text``; a number or a truth is written as Python writes it."""
    plain_value = value.item() if hasattr(value, "item") else value
    as_text = isinstance(plain_value, bool) or is_number(plain_value)
    return text(what, str(plain_value) if as_text else plain_value)


def words(described: Mapping[str, Any], key: str, where: str) -> str:
    """The text under ``key``, one line for a title; empty when there is none."""
    value = described.get(key, "")
    if not isinstance(value, str):
        raise ArtifactError(f"{where}.{key} must be text, not {type(value).__name__}")
    most = MAX_TEXT if key == "title" else MAX_WORDS
    if len(value) > most:
        raise ArtifactError(f"{where}.{key} is {len(value):,} characters long; at most {most:,}")
    if not is_clean(value, breaks="" if key == "title" else "\n\r\t"):
        raise ArtifactError(f"{where}.{key} has a control character or half a surrogate pair")
    return value


def flagged(described: Mapping[str, Any], key: str, where: str) -> bool:
    """The boolean under ``key``; false when there is none."""
    value = described.get(key, False)
    if not isinstance(value, bool):
        raise ArtifactError(f"{where}.{key} must be true or false")
    return value


def is_number(value: Any) -> bool:
    """Whether ``value`` is a finite real number (numpy's scalars register as such; bool is not)."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond any float
        return False


def plain(value: Any) -> int | float:
    """A numpy number as a Python number."""
    return int(value) if isinstance(value, Integral) else float(value)
