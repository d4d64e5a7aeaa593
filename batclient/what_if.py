"""The what-if scope: each value of one feature as a bar and a link, or a number as a curve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batclient.curve import Curve, draw_curve
from batclient.printout import score_in_words
from batclient.sentences import value_in_language
from predictor.artifacts.addresses import address_of
from predictor.artifacts.contract import Contract, Flag
from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.kinds import NUMBER, WHOLE
from predictor.artifacts.scores import ScoreKind
from predictor.artifacts.version import ModelVersion
from predictor.predictions.sensitivity import Option, comparable, compare, curve_range


@dataclass(frozen=True)
class RankedValue:
    """One value: its bar, and the link to the case with this value."""

    shown: str
    current: bool
    text: str
    start: float  # the start and the length of its bar, in per cent of the axis
    percent: float
    address: str


@dataclass(frozen=True)
class Ranking:
    """One flag's score for every value of one feature."""

    flag: Flag
    by_score: bool  # labels, the highest score first; other values stay in order
    axis: list[str]  # its ticks in words, evenly spaced; none if answers are yes or no
    rows: list[RankedValue]
    options: list[Option]
    curve: Curve | None = None  # instead of rows, for a number without a list of values


def shown_flag(contract: Contract, name: str = "", scores: Mapping[str, float] = {}) -> Flag:
    """The flag called ``name``, else the one with the highest of ``scores``.

    Of two flags it is the second, a classifier's positive class, which determines the other.
    Without scores, it is that one too, or the first of more flags.
    """
    two = len(contract.flags) == 2
    usual = max(scores, key=scores.__getitem__) if scores and not two else ""
    by_name = {flag.name: flag for flag in contract.flags}
    return by_name.get(name) or by_name.get(usual) or contract.flags[1 if two else 0]


def tabs(contract: Contract, case: Mapping[str, Any]) -> list[dict[str, str]]:
    """The features to vary, each with the link that does so for ``case``."""
    return [
        {"vary": f.name, "title": f.title, "address": address_of(case, vary=f.name)}
        for f in comparable(contract)
    ]


def has_curve(contract: Contract) -> bool:
    """Whether some selector is drawn as a curve."""
    return any(curve_range(contract, feature) for feature in contract.features)


def unranged(contract: Contract) -> list[str]:
    """The titles of numeric features without a known range for a curve."""
    drawn = comparable(contract)
    return [f.title for f in contract.features if f.kind in (NUMBER, WHOLE) and f not in drawn]


def ranking(model: ModelVersion, case: Mapping[str, Any], vary: str, flag_name: str) -> Ranking:
    """A row per value of the feature ``vary``.

    Raises InvalidInput and ScoringError as ``compare`` does.
    """
    compared = compare(model, case, vary)
    options = compared.options
    current = next((option.scores for option in options if option.current), {})
    flag = shown_flag(model.contract, flag_name, current)
    feature = next(feature for feature in model.contract.features if feature.name == vary)
    if compared.span:
        curve = draw_curve(model, case, feature, flag, compared)
        return Ranking(flag, False, [], [], options, curve)
    by_score = feature.is_choice
    shown = sorted(options, key=lambda o: -o.scores[flag.name]) if by_score else options
    kind = model.scorer.kind
    low, high = _ends([option.scores[flag.name] for option in options], kind)

    def row(option: Option) -> RankedValue:
        score = option.scores[flag.name]
        return RankedValue(
            value_in_language(feature, option.value),
            option.current,
            text=score_in_words(score, kind, flag.unit),
            **_bar(score, low, high),
            address=address_of({**case, vary: option.value}, vary=vary),
        )

    ends = [score_in_words(end, kind, flag.unit) for end in (low, high)]
    axis = {"probability": ["0 %", "50 %", "100 %"], "hard": [], "value": ends}
    return Ranking(flag, by_score, axis[kind], list(map(row, shown)), options)


def _ends(scores: Sequence[float], kind: ScoreKind) -> tuple[float, float]:
    """The ends of the axis: those of all possible shares, or of the other numbers and 0."""
    if kind != "value":
        return 0.0, 1.0
    low, high = min(0.0, *scores), max(0.0, *scores)
    return (low, high) if low < high else (0.0, 1.0)


def _bar(score: float, low: float, high: float) -> dict[str, float]:
    """The bar from 0 to ``score`` on an axis from ``low`` to ``high``, in per cent of it."""
    inside = min(max(score, low), high)
    places = sorted((end - low) / (high - low) * 100 for end in (0.0, inside))
    return {"start": round(places[0], 2), "percent": round(places[1] - places[0], 2)}


def ranking_of_link(
    model: ModelVersion, case: Mapping[str, Any], vary: str, flag_name: str
) -> Ranking | None:
    """The ranking of a link; None if it names no feature to vary or no complete case."""
    try:
        return ranking(model, case, vary, flag_name) if vary else None
    except InvalidInput:
        return None
