"""The tables of the model card: data, verdict, features, outputs, and who made it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from batclient.forms import number_bounds
from batclient.printout import in_figures
from batclient.quality import figure_text
from batclient.sentences import choice_in_language, span_in_language
from predictor.artifacts.contract import Feature
from predictor.artifacts.kinds import NUMBER, WHOLE
from predictor.artifacts.version import ModelVersion

Facts = list[tuple[str, str]]
_MOST_NAMED = 6  # labels of a feature


@dataclass(frozen=True)
class Section:
    """One table of the card."""

    title: str
    rows: Facts


def sections(model: ModelVersion) -> list[Section]:
    """The tables that are not empty."""
    metadata = model.metadata
    found = [
        Section(_("Data"), _rows(metadata.get("data"))),
        Section(_("Verdict"), _verdict(metadata.get("verdict"))),
        Section(_("Features"), [(f.title, _described(f)) for f in model.contract.features]),
        Section(_("Outputs"), [(flag.name, flag.title) for flag in model.contract.flags]),
        Section(_("Made by"), _made_by(model)),
    ]
    return [section for section in found if section.rows]


def _described(feature: Feature) -> str:
    """The feature's help text and allowed values."""
    choices = feature.choices()
    if choices is None:
        known = number_bounds(feature) if feature.kind in (NUMBER, WHOLE) else ""
        takes = known.rstrip(".") or span_in_language(feature.span())
        takes = f"{takes[:1].upper()}{takes[1:]}"
    else:
        names = [choice_in_language(feature, *choice) for choice in choices]
        more = [_("and %(count)s more") % {"count": in_figures(len(names) - _MOST_NAMED, ",")}]
        takes = ", ".join(names[:_MOST_NAMED] + more * (len(names) > _MOST_NAMED))
    unit = f" ({feature.unit})" if feature.unit else ""
    return f"{feature.help} {takes}{unit}".strip()


def _verdict(verdict: Any) -> Facts:
    """Each rule with its result; first, the person who published despite a refusal, if any."""
    if not isinstance(verdict, Mapping):
        return []
    checks, forced = verdict.get("checks"), verdict.get("forced")
    by_force = [(_("written by force"), _forced(forced))] if isinstance(forced, Mapping) else []
    return by_force + [
        (str(check.get("rule")), _check(check))
        for check in (checks if isinstance(checks, list) else [])
        if isinstance(check, Mapping)
    ]


def _forced(forced: Mapping[str, Any]) -> str:
    return ": ".join(str(forced[key]) for key in ("by", "reason") if forced.get(key))


def _check(check: Mapping[str, Any]) -> str:
    """``passed: 0.1473 [0.1278, 0.1669], limit 0.05``."""
    found, low, high, limit = (_figure(check.get(n)) for n in ("found", "low", "high", "limit"))
    parts = [f"{found} [{low}, {high}]" if found and low and high else found]
    parts.append(_("limit %(limit)s") % {"limit": limit} if limit else "")
    known = ", ".join(filter(None, parts))
    return f"{check.get('result')}: {known}" if known else str(check.get("result"))


def _figure(value: Any) -> str:
    return in_figures(value, ".4g") if isinstance(value, int | float) else ""


def _made_by(model: ModelVersion) -> Facts:
    metadata = model.metadata
    known = {"version": model.version, "created": metadata.get("created")}
    known["scikit-learn"] = metadata.get("sklearn_version")
    training = metadata.get("training")
    origin = metadata.get("origin")
    for section in (training, origin):
        known |= dict(section) if isinstance(section, Mapping) else {}
    return _rows(known)


def _rows(section: Any) -> Facts:
    """Names and values as text, without nested and missing values."""
    pairs: Iterable[tuple[Any, Any]] = section.items() if isinstance(section, Mapping) else ()
    return [
        (str(name).replace("_", " "), figure_text(value))
        for name, value in pairs
        if isinstance(value, str | int | float) and value != ""
    ]
