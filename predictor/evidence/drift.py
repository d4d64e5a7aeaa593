"""Whether a version's inputs and answers differ from its training data.

Each feature, the top flag and the top score are compared with the training data's shares
(metadata.json, ``baseline``) or, without them, with the version's own first answers. Every request
counts once: an array of a thousand cases says no more about the callers than one case.
"""

import bisect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from predictor.artifacts.baseline import is_missing
from predictor.artifacts.contract import Feature
from predictor.artifacts.kinds import BOOLEAN, CHOICE, NUMBERS, TEXT
from predictor.artifacts.version import ModelVersion

from .stability import Population, corrected, population, shift

DAYS = (7, 28)  # windows to look at: the shorter one if it has enough requests
FIRST = 1_000  # the version's first answers, where there is no baseline
FEWEST = 200  # requests; fewer say nothing
SURE = 0.01  # a shift that chance causes more often is not drift
_MAX_KINDS = 50  # distinct numbers beyond which they are put into ten bins

_MOST_SHOWN = 12  # values shown side by side for both populations

TRAINING = "the training data"
REQUESTS, FILES = "requests", "files"


class Observation(NamedTuple):
    """The part of a logged answer that drift needs."""

    inputs: Mapping[str, Any]
    top_flag: str
    scores: Mapping[str, float]
    weight: float  # 1/n for each of a request's n answers


ValueOf = Callable[[Observation], Any]  # None where an answer lacks the value


def asker(source: str, items: int | None) -> tuple[str, float]:
    """The kind of caller, from an answer's source and the number of items, and its weight.

    An older release did not log the number of items.
    """
    return (FILES, 1.0) if source == "csv" else (REQUESTS, 1 / (items or 1))


class Observations(NamedTuple):
    """Answers to one kind of caller."""

    now: Sequence[Observation]
    first: Sequence[Observation]  # the version's first answers
    later: Sequence[Observation]  # those of ``now`` that came after the first


@dataclass(frozen=True)
class Drift:
    """How far a feature, the top flag or the top score has moved.

    ``p_value`` is the probability of such a shift without any drift, corrected for all comparisons
    made together. ``population`` is the kind of caller: programs and people, or files. One file
    says nothing about the next, so files never count as drifted.
    """

    model: str
    version: str
    subject: str
    psi: float
    chi_square: float
    p_value: float
    answers: int  # requests; of files, rows
    against: str
    population: str = REQUESTS
    drifted: bool = False
    shares: tuple[tuple[str, float, float], ...] = ()  # value, share now, share before: the largest


def _top_score(answer: Observation) -> float:
    return answer.scores[answer.top_flag]


def measure(
    model: ModelVersion, who: str, asked: Observations, hashed: AbstractSet[str], threshold: float
) -> list[Drift]:
    """The drift of requests now from training or from the first requests, greatest first.

    ``hashed`` are features of which the log keeps a hash. Empty where there are too few answers.
    """
    if requests(asked.now) < FEWEST:
        return []
    trained = _baseline(model, hashed)
    found = []
    for subject, value_of in _subjects(model, hashed):
        answers, ours, expected, against = _compare(asked, value_of, trained.get(subject))
        size = requests(answers)
        if size >= FEWEST and ours.shares and expected.shares:
            found.append(
                (subject, shift(ours, expected), size, against, _largest_shares(ours, expected))
            )
    chances = corrected([one.p_value for _, one, *_ in found])
    return sorted(
        (
            Drift(model.name, model.version, subject, one.psi, one.chi_square, p_value, size,
                  against, who, who == REQUESTS and one.psi > threshold and p_value < SURE, shares)
            for (subject, one, size, against, shares), p_value in zip(found, chances, strict=True)
        ),
        key=attrgetter("psi"), reverse=True,
    )  # fmt: skip


def _subjects(model: ModelVersion, hashed: AbstractSet[str]) -> list[tuple[str, ValueOf]]:
    """What is compared, and how its value is read from an answer."""
    return [
        *((_subject(feature), _input(feature, hashed)) for feature in _compared(model, hashed)),
        ("top flag", attrgetter("top_flag")),
        ("top score", _top_score),
    ]


def _compare(
    asked: Observations, value_of: ValueOf, trained: Population | None
) -> tuple[Sequence[Observation], Population, Population, str]:
    """(the answers, their values, the expected values, the source of these)."""
    if trained:
        return asked.now, _counted(_valued(asked.now, value_of)), trained, TRAINING
    both = _comparable(_valued(asked.later, value_of), _valued(asked.first, value_of))
    return asked.later, *both, f"its first {len(asked.first):,} answers"


def _largest_shares(ours: Population, expected: Population) -> tuple[tuple[str, float, float], ...]:
    """The shares in both populations of the values most frequent in either."""
    kinds = {
        kind: ours.shares.get(kind, 0.0) for kind in ours.shares.keys() | expected.shares.keys()
    }
    pairs = [(kind, share, expected.shares.get(kind, 0.0)) for kind, share in kinds.items()]
    return tuple(sorted(pairs, key=lambda pair: (-max(pair[1:]), pair[0]))[:_MOST_SHOWN])


def requests(answers: Iterable[Observation]) -> int:
    """The number of requests behind these answers."""
    return round(math.fsum(answer.weight for answer in answers))


def not_compared(model: ModelVersion, hashed: AbstractSet[str]) -> list[str]:
    """The features whose drift is not measured: lists, and hashed features other than choices."""
    compared = _compared(model, hashed)
    return [feature.name for feature in model.contract.features if feature not in compared]


def _compared(model: ModelVersion, hashed: AbstractSet[str]) -> list[Feature]:
    return [
        feature
        for feature in model.contract.features
        if feature.kind in (CHOICE, BOOLEAN)
        or (feature.kind is not NUMBERS and feature.name not in hashed)
    ]


def _subject(feature: Feature) -> str:
    return f"{feature.name} (its length)" if feature.kind is TEXT else feature.name


def _baseline(model: ModelVersion, hashed: AbstractSet[str]) -> dict[str, Population]:
    """The training data's shares, of features where each share is that of a possible value."""
    described = model.metadata.get("baseline", {})
    rows = model.metadata.get("data", {}).get("rows")
    size = float(rows) if isinstance(rows, int) and rows > 0 else math.inf
    return {
        feature.name: Population(shares, size)
        for feature in _compared(model, hashed)
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


def _input(feature: Feature, hashed: AbstractSet[str]) -> ValueOf:
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


def _valued(answers: Iterable[Observation], value_of: ValueOf) -> _Values:
    pairs = ((value_of(answer), answer.weight) for answer in answers)
    return [(value, weight) for value, weight in pairs if value is not None]


def _counted(values: _Values) -> Population:
    categories = [_category(value) for value, _ in values]
    return population(categories, [weight for _, weight in values])


def _category(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _comparable(now: _Values, earlier: _Values) -> tuple[Population, Population]:
    """Both populations by category: texts and few numbers as is, many numbers by deciles."""
    numbers = sorted(value for value, _ in earlier if isinstance(value, int | float))
    if len(set(numbers)) <= _MAX_KINDS:
        return _counted(now), _counted(earlier)
    edges = [numbers[len(numbers) * tenth // 10] for tenth in range(1, 10)]

    def binned(values: _Values) -> _Values:
        return [(value if isinstance(value, str) else bisect.bisect_right(edges, value), weight)
                for value, weight in values]  # fmt: skip

    return _counted(binned(now)), _counted(binned(earlier))
