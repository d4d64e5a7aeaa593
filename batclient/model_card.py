"""The model card: what the metadata says of a model, in tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from predictor.artifacts.version import ModelVersion

Rows = list[tuple[str, str]]


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
        Section(_("Features"), [(f.title, f.help) for f in model.contract.features]),
        Section(_("Outputs"), [(flag.name, flag.title) for flag in model.contract.flags]),
        Section(_("Made by"), _made_by(model)),
    ]
    return [section for section in found if section.rows]


def limits(model: ModelVersion) -> list[str]:
    """What the model is not for, in the words of who trained it."""
    stated = model.metadata.get("limits")
    return [limit for limit in stated if isinstance(limit, str)] if isinstance(stated, list) else []


def _made_by(model: ModelVersion) -> Rows:
    metadata = model.metadata
    known = {"version": model.version, "created": metadata.get("created")}
    known["scikit-learn"] = metadata.get("sklearn_version")
    training = metadata.get("training")
    return _rows(known | (dict(training) if isinstance(training, Mapping) else {}))


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
