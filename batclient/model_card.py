"""The model card: what the metadata says of a model, in tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from predictor.artifacts.version import ModelVersion

Rows = list[tuple[str, str]]
_WORST = 10  # slices that are shown


@dataclass(frozen=True)
class Section:
    """One table of the card."""

    title: str
    rows: Rows


def sections(model: ModelVersion) -> list[Section]:
    """The tables that have anything in them."""
    metadata = model.metadata
    found = [
        Section(_("Data"), _rows(metadata.get("data"))),
        Section(_("Quality"), _rows(metadata.get("metrics"))),
        Section(_("Verdict"), _verdict(metadata.get("verdict"))),
        Section(_("Where it is weak"), _slices(metadata.get("slices"))),
        Section(_("Features"), [(f.title, f.help) for f in model.contract.features]),
        Section(_("Outputs"), [(flag.name, flag.title) for flag in model.contract.flags]),
        Section(_("Made by"), _made_by(model)),
    ]
    return [section for section in found if section.rows]


def limits(model: ModelVersion) -> list[str]:
    """What the model is not for, in the words of who trained it."""
    stated = model.metadata.get("limits")
    return [limit for limit in stated if isinstance(limit, str)] if isinstance(stated, list) else []


def _verdict(verdict: Any) -> Rows:
    """Each rule, and what it found."""
    checks = verdict.get("checks") if isinstance(verdict, Mapping) else None
    return [
        (str(check.get("rule")), f"{check.get('result')} {check.get('found', '')}".strip())
        for check in (checks if isinstance(checks, list) else [])
        if isinstance(check, Mapping)
    ]


def _slices(slices: Any) -> Rows:
    """The slices that are furthest off, worst first."""
    return [
        (
            f"{each.get('feature')}: {each.get('label')}",
            _("%(flag)s: stated %(stated)s, actual %(actual)s, of %(n)s")
            % {key: each.get(key) for key in ("flag", "stated", "actual", "n")},
        )
        for each in (slices[:_WORST] if isinstance(slices, list) else [])
        if isinstance(each, Mapping)
    ]


def _made_by(model: ModelVersion) -> Rows:
    metadata = model.metadata
    known = {"version": model.version, "created": metadata.get("created")}
    known["scikit-learn"] = metadata.get("sklearn_version")
    training = metadata.get("training")
    origin = metadata.get("origin")
    for section in (training, origin):
        known |= dict(section) if isinstance(section, Mapping) else {}
    return _rows(known)


def _rows(section: Any) -> Rows:
    """Names and values as text; whatever is nested or missing has no place in a table."""
    pairs: Iterable[tuple[Any, Any]] = section.items() if isinstance(section, Mapping) else ()
    return [
        (str(name).replace("_", " "), f"{value:,}" if _is_count(value) else str(value))
        for name, value in pairs
        if isinstance(value, str | int | float) and value != ""
    ]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and value > 9999
