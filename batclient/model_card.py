"""The model card: facts from a model's metadata, and from the model itself."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.cache import cache
from django.utils.translation import gettext as _

from batclient.card_sections import Section, sections
from batclient.printout import in_figures
from batclient.quality import (
    Diagram,
    Figure,
    SliceLine,
    diagrams,
    figures,
    weak_slices,
)
from batclient.sentences import value_in_language
from predictor.artifacts.baseline import trained_shares
from predictor.artifacts.contract import Feature
from predictor.artifacts.version import ModelVersion
from predictor.log.accuracy import Accuracy, measure_accuracy
from predictor.predictions.attribution import importance

_MOST_SHARES = 12  # values of a feature
_KEPT = 300  # seconds


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
        sections=sections(model),
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
    rest = _("%(count)s others make up %(share)s.") % {
        "count": in_figures(len(others), ","), "share": _percent(sum(share for _, share in others))
    }  # fmt: skip
    return Shares(feature.title, bars, rest if others else "")


def _percent(share: float) -> str:
    return f"{in_figures(share * 100, '.1f')} %"
