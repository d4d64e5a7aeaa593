"""The values that drift compares: the training data's shares, and those of logged answers."""

import bisect
import math
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from predictor.artifacts.baseline import is_missing
from predictor.artifacts.contract import Feature
from predictor.artifacts.kinds import BOOLEAN, CHOICE, NUMBERS, TEXT
from predictor.artifacts.version import ModelVersion

from .stability import Population, population

_MAX_KINDS = 50  # distinct numbers beyond which they are put into ten bins


class Observation(NamedTuple):
    """The part of a logged answer that drift needs."""

    inputs: Mapping[str, Any]
    top_flag: str
    scores: Mapping[str, float]
    weight: float  # 1/n for each of a request's n answers


ValueOf = Callable[[Observation], Any]  # None where an answer lacks the value


def compared_features(model: ModelVersion, hashed: AbstractSet[str]) -> list[Feature]:
    """The features whose drift is measured."""
    return [
        feature
        for feature in model.contract.features
        if feature.kind in (CHOICE, BOOLEAN)
        or (feature.kind is not NUMBERS and feature.name not in hashed)
    ]


def trained_populations(model: ModelVersion, hashed: AbstractSet[str]) -> dict[str, Population]:
    """The training data's shares, of features where each share is that of a possible value."""
    described = model.metadata.get("baseline", {})
    rows = model.metadata.get("data", {}).get("rows")
    size = float(rows) if isinstance(rows, int) and rows > 0 else math.inf
    return {
        feature.name: Population(shares, size)
        for feature in compared_features(model, hashed)
        # a hash shows only whether two values are the same
        if feature.name not in hashed and (shares := _trained(feature, described.get(feature.name)))
    }


def _trained(feature: Feature, described: Any) -> dict[str, float]:
    """The shares in metadata.json, by the key drift counts each value under; empty if invalid."""
    if not isinstance(described, Mapping) or not all(map(_is_share, described.values())):
        return {}
    total = sum(described.values())
    if total <= 0 or feature.kind is TEXT or not _are_known(feature, described):
        return {}
    shares: dict[str, float] = {}
    for key, share in described.items():
        value = feature.kind.from_text(feature, key)
        known = not is_missing(feature, key)
        category = _category(feature.kind.counted(value)) if known else feature.unknown
        shares[category] = shares.get(category, 0.0) + share / total
    return shares


def _are_known(feature: Feature, values: Mapping[str, Any]) -> bool:
    """Whether all values are labels of the feature, or it allows others."""
    closed = feature.is_choice and not feature.open
    labels = feature.labels or {}
    return not closed or all(key in labels or is_missing(feature, key) for key in values)


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0


def input_of(feature: Feature, hashed: AbstractSet[str]) -> ValueOf:
    """The key under which drift counts a feature's value; None where the log leaves it out."""
    name, counted, unknown = feature.name, feature.kind.counted, feature.unknown

    def value_of(answer: Observation) -> Any:
        if name not in answer.inputs:
            return None
        value = answer.inputs[name]
        if value is None:
            return unknown
        return value if name in hashed else counted(value)

    return value_of


_Values = list[tuple[Any, float]]  # with their weights


def valued(answers: Iterable[Observation], value_of: ValueOf) -> _Values:
    """The value of each answer that has one, with the answer's weight."""
    pairs = ((value_of(answer), answer.weight) for answer in answers)
    return [(value, weight) for value, weight in pairs if value is not None]


def counted_population(values: _Values) -> Population:
    """The values by category."""
    categories = [_category(value) for value, _ in values]
    return population(categories, [weight for _, weight in values])


def _category(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def comparable_populations(now: _Values, earlier: _Values) -> tuple[Population, Population]:
    """Both populations by category: texts and few numbers as is, many numbers by deciles."""
    numbers = sorted(value for value, _ in earlier if isinstance(value, int | float))
    if len(set(numbers)) <= _MAX_KINDS:
        return counted_population(now), counted_population(earlier)
    edges = [numbers[len(numbers) * tenth // 10] for tenth in range(1, 10)]

    def binned(values: _Values) -> _Values:
        return [(value if isinstance(value, str) else bisect.bisect_right(edges, value), weight)
                for value, weight in values]  # fmt: skip

    return counted_population(binned(now)), counted_population(binned(earlier))
