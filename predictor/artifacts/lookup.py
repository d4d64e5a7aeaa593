"""From a value of ``lookup.pkl`` and its entry in ``metadata.json`` to a feature."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .errors import ArtifactError
from .kinds import BOOLEAN, CHOICE, DATE, DATE_TIME, KINDS, NUMBER, NUMBERS, TEXT, WHOLE, Kind
from .kinds.feature import Cell, Feature, Number
from .lookup_values import read_value
from .metadata import flagged, is_number, mapping, plain, text, words
from .untrusted import MAX_WORDS

# The types that metadata.json may choose for a lookup's value.
_REFINED: dict[Kind, tuple[Kind, ...]] = {
    CHOICE: (CHOICE,),
    NUMBER: (NUMBER, WHOLE, BOOLEAN, TEXT, DATE, DATE_TIME),
    BOOLEAN: (BOOLEAN,),
    TEXT: (TEXT, DATE, DATE_TIME),
    NUMBERS: (NUMBERS,),
}
_REFINED[WHOLE] = _REFINED[NUMBER]


def build_feature(name: str, values: Any, described: Mapping[str, Any]) -> Feature:
    """The feature ``name``. Raises ArtifactError when its parts contradict each other."""
    where = f"metadata.json: features.{name}"
    kind, labels, size = read_value(name, values)
    kind = _refined_kind(kind, described, where)
    shown = mapping(f"{where}.labels", described.get("labels", {}))
    titles = {key: text(f"{where}.labels.{key}", value) for key, value in shown.items()}
    feature = Feature(
        name=name,
        kind=kind,
        labels=_passed_as(labels, described, where),
        title=words(described, "title", where) or _humanised(name),
        help=words(described, "help", where),
        unit=words(described, "unit", where),
        group=words(described, "group", where),
        named=_named(titles, where) if kind in (NUMBER, WHOLE) else {},
        label_titles=titles if kind in (CHOICE, BOOLEAN) else {},
        missing=flagged(described, "missing", where),
        open=flagged(described, "open", where),
        max_length=_max_length(described, where),
        size=size,
        said=frozenset(described),
    )
    feature = _with_fallback(_with_bounds(feature, described, where), described, where)
    if labels is not None and (unknown := sorted(shown.keys() - labels.keys())):
        raise ArtifactError(f"{where}.labels names {unknown[0]!r}, which lookup.pkl does not have")
    if feature.open and kind is not CHOICE:
        raise ArtifactError(f"{where}.open is for a feature with labels")
    return _with_default(feature, described.get("default"), where)


def _refined_kind(kind: Kind, described: Mapping[str, Any], where: str) -> Kind:
    if flagged(described, "integer", where) and kind is NUMBER:
        kind = WHOLE
    if "type" not in described:
        return kind
    chosen = described["type"]
    if not isinstance(chosen, str) or chosen not in KINDS:
        raise ArtifactError(f"{where}.type is {chosen!r:.60}; it is one of {', '.join(KINDS)}")
    allowed = _REFINED[kind]
    if KINDS[chosen] not in allowed:
        raise ArtifactError(
            f"{where}.type is {chosen!r}, but lookup.pkl says {kind.name}; "
            f"there it is one of {', '.join(each.name for each in allowed)}"
        )
    return WHOLE if kind is WHOLE and chosen == NUMBER.name else KINDS[chosen]


def _passed_as(
    labels: dict[str, Cell] | None, described: Mapping[str, Any], where: str
) -> dict[str, Cell] | None:
    passed_as = described.get("passed_as", "code")
    if passed_as not in ("code", "label") or (passed_as == "label" and labels is None):
        raise ArtifactError(f'{where}.passed_as must be "code", or "label" for a labelled feature')
    if labels is None or passed_as == "code":
        return labels
    return {label: label for label in labels}


def _max_length(described: Mapping[str, Any], where: str) -> int:
    length = described.get("max_length", MAX_WORDS)
    if type(length) is not int or not 0 < length <= 10 * MAX_WORDS:
        raise ArtifactError(f"{where}.max_length must be a whole number up to {10 * MAX_WORDS:,}")
    return length


def _with_bounds(feature: Feature, described: Mapping[str, Any], where: str) -> Feature:
    if feature.kind in (DATE, DATE_TIME):
        return _with_dates(feature, described.get("minimum"), described.get("maximum"), where)
    low, high = (_bound(described, key, where) for key in ("minimum", "maximum"))
    bounded = replace(feature, minimum=low, maximum=high)
    if low is None or high is None:
        return bounded
    if low > high:
        raise ArtifactError(f"{where}: minimum {low:g} is above maximum {high:g}")
    if feature.kind is WHOLE and math.ceil(low) > math.floor(high):
        raise ArtifactError(f"{where}: there is no whole number from {low:g} to {high:g}")
    return bounded


def _bound(described: Mapping[str, Any], key: str, where: str) -> float | None:
    bound = described.get(key)
    if bound is None:
        return None
    if not is_number(bound):
        raise ArtifactError(f"{where}.{key} must be a finite number")
    return plain(bound)


def _with_dates(feature: Feature, low: Any, high: Any, where: str) -> Feature:
    assert isinstance(feature.kind, type(DATE))  # noqa: S101 - for mypy
    spelt = [feature.kind.canonical(day) if isinstance(day, str) else "" for day in (low, high)]
    for key, given, found in zip(("minimum", "maximum"), (low, high), spelt, strict=True):
        if given is not None and not found:
            raise ArtifactError(f"{where}.{key} must be {feature.kind.words}, in quotes")
    if all(spelt) and spelt[0] > spelt[1]:
        raise ArtifactError(f"{where}: minimum {spelt[0]} is above maximum {spelt[1]}")
    return replace(feature, earliest=spelt[0], latest=spelt[1])


def _with_fallback(feature: Feature, described: Mapping[str, Any], where: str) -> Feature:
    fallback, unlisted = described.get("fallback"), described.get("unlisted", [])
    known = feature.labels or {}
    if fallback is not None and fallback not in list(known):
        raise ArtifactError(f"{where}.fallback is {fallback!r}, which is not one of its labels")
    if not isinstance(unlisted, list):
        raise ArtifactError(f"{where}.unlisted must be a list of names")
    if unlisted and fallback is None:
        raise ArtifactError(f"{where}.unlisted needs a fallback to replace them")
    names = tuple(text(f"{where}.unlisted", name) for name in unlisted)
    for name in names:
        if name in known:
            raise ArtifactError(f"{where}.unlisted names {name!r}, which is a label")
    return replace(feature, fallback=fallback, unlisted=names)


def _with_default(feature: Feature, default: Any, where: str) -> Feature:
    """A form starts with the default, and the documentation shows it: it must be a valid value."""
    if default is None:
        return feature
    feature = replace(feature, default=default)
    if not feature.kind.accepts_default(feature):
        raise ArtifactError(f"{where}.default is {default!r:.60}, which is not {feature.span()}")
    return feature


def _named(titles: Mapping[str, str], where: str) -> dict[Number, str]:
    named: dict[Number, str] = {}
    for key, title in titles.items():
        try:
            number = float(key)
        except ValueError:
            raise ArtifactError(f"{where}.labels names {key!r}, which is not a number") from None
        if not math.isfinite(number):
            raise ArtifactError(f"{where}.labels names {key!r}, which is not a number")
        named[int(number) if number.is_integer() else number] = title
    return named


def _humanised(name: str) -> str:
    """``force_name`` → ``Force name``."""
    spaced = name.replace("_", " ").strip() or name
    return spaced[:1].upper() + spaced[1:]
