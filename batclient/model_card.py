"""The model card: facts from a model's metadata, and from the model itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _

from batclient.forms import number_bounds
from batclient.printout import in_figures
from batclient.quality import (
    Diagram,
    Figure,
    SliceLine,
    diagrams,
    figure_text,
    figures,
    weak_slices,
)
from batclient.sentences import choice_in_language, span_in_language, value_in_language
from predictor.artifacts.baseline import trained_shares
from predictor.artifacts.contract import Feature
from predictor.artifacts.kinds import NUMBER, WHOLE
from predictor.artifacts.version import ModelVersion
from predictor.log.accuracy import Accuracy, measure_accuracy
from predictor.predictions.attribution import importance

Facts = list[tuple[str, str]]
_MOST_SHARES = 12  # values of a feature
_MOST_NAMED = 6  # labels of a feature
_KEPT = 300  # seconds


@dataclass(frozen=True)
class Section:
    """One table of the card."""

    title: str
    rows: Facts


@dataclass(frozen=True)
class ShareBar:
    """One line of a list of bars."""

    title: str
    text: str
    percent: float  # of the longest bar


@dataclass(frozen=True)
class Shares:
    """How often each value of a feature was in the training data."""

    title: str
    bars: list[ShareBar]
    others: str  # the values that are not drawn, in words


@dataclass(frozen=True)
class Card:
    """The content of the page."""

    limits: list[str]
    figures: list[Figure]
    live: Accuracy | None
    as_of: datetime
    diagrams: list[Diagram]
    slices: list[SliceLine]
    importance: list[ShareBar]
    shares: list[Shares]
    sections: list[Section]


def model_card(model: ModelVersion, *, with_outcomes: bool = False) -> Card:
    """The card; ``with_outcomes`` adds figures from outcomes, which are cached for five minutes."""
    live = _live(model) if with_outcomes else None
    return Card(
        limits=_limits(model),
        figures=figures(model, live),
        live=live,
        as_of=datetime.now(UTC),
        diagrams=diagrams(model),
        slices=weak_slices(model),
        importance=_importance(model),
        shares=[found for f in model.contract.features if (found := _shares(model, f)).bars],
        sections=_sections(model),
    )


def _live(model: ModelVersion) -> Accuracy | None:
    key = f"card:{model.name}:{model.version}"
    found: tuple[Accuracy | None] | None = cache.get(key)
    if found is None:
        found = (measure_accuracy(model.name, model.version),)
        cache.set(key, found, _KEPT)
    return found[0]


def _limits(model: ModelVersion) -> list[str]:
    """The model's limits, in the words of the person who trained it."""
    stated = model.metadata.get("limits")
    return [limit for limit in stated if isinstance(limit, str)] if isinstance(stated, list) else []


def _importance(model: ModelVersion) -> list[ShareBar]:
    """How much each selector moves the answer, over all cases."""
    sizes = importance(model)
    longest = max((size for _, size in sizes), default=0.0) or 1.0
    is_value = model.scorer.kind == "value"
    return [
        ShareBar(
            feature.title,
            in_figures(size, ",.4g")
            if is_value
            else _("%(points)s points") % {"points": in_figures(size * 100, ".1f")},
            round(100 * size / longest, 2),
        )
        for feature, size in sizes
    ]


def _shares(model: ModelVersion, feature: Feature) -> Shares:
    shares = sorted(trained_shares(model.contract, feature).items(), key=lambda pair: -pair[1])
    drawn, others = shares[:_MOST_SHARES], shares[_MOST_SHARES:]
    longest = drawn[0][1] if drawn else 1.0
    bars = [
        ShareBar(
            value_in_language(feature, value), _percent(share), round(100 * share / longest, 2)
        )
        for value, share in drawn
    ]
    rest = _("%(count)s others have %(share)s together.") % {
        "count": in_figures(len(others), ","), "share": _percent(sum(share for _, share in others))
    }  # fmt: skip
    return Shares(feature.title, bars, rest if others else "")


def _percent(share: float) -> str:
    return f"{in_figures(share * 100, '.1f')} %"


def _sections(model: ModelVersion) -> list[Section]:
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
