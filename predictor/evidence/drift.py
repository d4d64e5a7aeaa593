"""Whether a version is asked, and answers, otherwise than it was trained for.

Each feature, the top flag and the top score are compared with the training data's shares
(metadata.json, ``baseline``) or, without them, with the version's own first answers. Every request
counts once: an array of a thousand cases says no more of who asks than one case.
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

DAYS = (7, 28)  # that are looked at: the shorter where enough was asked in them
FIRST = 1_000  # the version's first answers, where there is no baseline
FEWEST = 200  # requests; fewer say nothing
SURE = 0.01  # a shift that chance causes more often than that is none
_MAX_KINDS = 50  # more different numbers than that are put into ten bins

_MOST_SHOWN = 12  # kinds of both populations beside each other

TRAINING = "the training data"
REQUESTS, FILES = "requests", "files"


class Observation(NamedTuple):
    """What the log keeps of an answer, as far as drift is concerned."""

    inputs: Mapping[str, Any]
    top_flag: str
    scores: Mapping[str, float]
    weight: float  # of a request's n answers 1/n


def asker(source: str, items: int | None) -> tuple[str, float]:
    """Who asked, by an answer's source and how many were answered at once, and its weight.

    An older release kept no number of items.
    """
    return (FILES, 1.0) if source == "csv" else (REQUESTS, 1 / (items or 1))


class Observations(NamedTuple):
    """Answers to one kind of asker."""

    now: Sequence[Observation]
    first: Sequence[Observation]  # of the version
    later: Sequence[Observation]  # of ``now`` those after the first


@dataclass(frozen=True)
class Drift:
    """How far one thing is from what it was.

    ``p_value`` is the chance of as much without any drift, corrected for all that is compared at
    once. ``population`` is who asked: programs and people, or files, of which a single one says
    nothing about the others, so they never count as drifted.
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
    shares: tuple[tuple[str, float, float], ...] = ()  # kind, share now, share before: the largest


def _top_score(answer: Observation) -> float:
    return answer.scores[answer.top_flag]


def measure(
    model: ModelVersion, who: str, asked: Observations, hashed: AbstractSet[str], threshold: float
) -> list[Drift]:
    """The drift of what is asked now from training or from what was asked first, greatest first.

    ``hashed`` are features of which the log keeps a hash. Empty where answers are too few.
    """
    if requests(asked.now) < FEWEST:
        return []
    trained = _baseline(model, hashed)
    subjects: list[tuple[str, Callable[[Observation], Any]]] = [
        *((_subject(feature), _input(feature, hashed)) for feature in _compared(model, hashed)),
        ("top flag", attrgetter("top_flag")),
        ("top score", _top_score),
    ]
    found = []
    for subject, value_of in subjects:
        answers, ours, expected, against = _compare(asked, value_of, trained.get(subject))
        size = requests(answers)
        if size >= FEWEST and ours.shares and expected.shares:
            found.append((subject, shift(ours, expected), size, against, _beside(ours, expected)))
    chances = corrected([one.p_value for _, one, *_ in found])
    return sorted(
        (
            Drift(model.name, model.version, subject, one.psi, one.chi_square, p_value, size,
                  against, who, who == REQUESTS and one.psi > threshold and p_value < SURE, shares)
            for (subject, one, size, against, shares), p_value in zip(found, chances, strict=True)
        ),
        key=attrgetter("psi"), reverse=True,
    )  # fmt: skip


def _compare(
    asked: Observations, value_of: Callable[[Observation], Any], trained: Population | None
) -> tuple[Sequence[Observation], Population, Population, str]:
    """(the answers, what they asked, what is expected, where that is from)."""
    if trained:
        return asked.now, _counted(_valued(asked.now, value_of)), trained, TRAINING
    both = _comparable(_valued(asked.later, value_of), _valued(asked.first, value_of))
    return asked.later, *both, f"its first {len(asked.first):,} answers"


def _beside(ours: Population, expected: Population) -> tuple[tuple[str, float, float], ...]:
    """The shares of both, of the kinds that are most frequent in either."""
    kinds = {
        kind: ours.shares.get(kind, 0.0) for kind in ours.shares.keys() | expected.shares.keys()
    }
    pairs = [(kind, share, expected.shares.get(kind, 0.0)) for kind, share in kinds.items()]
    return tuple(sorted(pairs, key=lambda pair: (-max(pair[1:]), pair[0]))[:_MOST_SHOWN])


def requests(answers: Iterable[Observation]) -> int:
    """How many requests they are answers to."""
    return round(math.fsum(answer.weight for answer in answers))


def not_compared(model: ModelVersion, hashed: AbstractSet[str]) -> list[str]:
    """The features of which no drift is measured: lists, and what is hashed and no choice."""
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
    """The training data's shares, of those features where they are shares of what can be asked."""
    described = model.metadata.get("baseline", {})
    rows = model.metadata.get("data", {}).get("rows")
    size = float(rows) if isinstance(rows, int) and rows > 0 else math.inf
    return {
        feature.name: Population(shares, size)
        for feature in _compared(model, hashed)
        # of what is hashed is not known what was asked, only whether it is the same
        if feature.name not in hashed and (shares := _trained(feature, described.get(feature.name)))
    }


def _trained(feature: Feature, described: Any) -> dict[str, float]:
    """The shares that metadata.json gives, by what is counted of each value; nothing if odd."""
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
    """Whether all are labels of the feature, where no others can be asked."""
    closed = feature.is_choice and not feature.open
    labels = feature.labels or {}
    return not closed or all(key in labels or is_missing(feature, key) for key in values)


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0


def _input(feature: Feature, hashed: AbstractSet[str]) -> Callable[[Observation], Any]:
    """What is counted of a feature's value; None where the log leaves the field out."""
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


def _valued(answers: Iterable[Observation], value_of: Callable[[Observation], Any]) -> _Values:
    pairs = ((value_of(answer), answer.weight) for answer in answers)
    return [(value, weight) for value, weight in pairs if value is not None]


def _counted(values: _Values) -> Population:
    categories = [_category(value) for value, _ in values]
    return population(categories, [weight for _, weight in values])


def _category(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _comparable(now: _Values, earlier: _Values) -> tuple[Population, Population]:
    """Both by category: texts and few numbers as they are, many by tenths of the earlier."""
    numbers = sorted(value for value, _ in earlier if isinstance(value, int | float))
    if len(set(numbers)) <= _MAX_KINDS:
        return _counted(now), _counted(earlier)
    edges = [numbers[len(numbers) * tenth // 10] for tenth in range(1, 10)]

    def binned(values: _Values) -> _Values:
        return [(value if isinstance(value, str) else bisect.bisect_right(edges, value), weight)
                for value, weight in values]  # fmt: skip

    return _counted(binned(now)), _counted(binned(earlier))
