"""Whether a version's inputs and answers differ from its training data.

Each feature, the top flag and the top score are compared with the training data's shares
(metadata.json, ``baseline``) or, without them, with the version's own first answers. Every request
counts once: an array of a thousand cases says no more about the callers than one case.
"""

import math
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from predictor.artifacts.contract import Feature
from predictor.artifacts.kinds import TEXT
from predictor.artifacts.version import ModelVersion

from .populations import Observation as Observation  # noqa: PLC0414 - callers build them
from .populations import (
    ValueOf,
    comparable_populations,
    compared_features,
    counted_population,
    input_of,
    trained_populations,
    valued,
)
from .stability import Population, corrected, shift

DAYS = (7, 28)  # windows to look at: the shorter one if it has enough requests
FIRST = 1_000  # the version's first answers, where there is no baseline
FEWEST = 200  # requests; fewer say nothing
SURE = 0.01  # a shift that chance causes more often is not drift

_MOST_SHOWN = 12  # values shown side by side for both populations

TRAINING = "the training data"
REQUESTS, FILES = "requests", "files"


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
    trained = trained_populations(model, hashed)
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
        *(
            (_subject(feature), input_of(feature, hashed))
            for feature in compared_features(model, hashed)
        ),
        ("top flag", attrgetter("top_flag")),
        ("top score", _top_score),
    ]


def _compare(
    asked: Observations, value_of: ValueOf, trained: Population | None
) -> tuple[Sequence[Observation], Population, Population, str]:
    """(the answers, their values, the expected values, the source of these)."""
    if trained:
        return asked.now, counted_population(valued(asked.now, value_of)), trained, TRAINING
    both = comparable_populations(valued(asked.later, value_of), valued(asked.first, value_of))
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
    compared = compared_features(model, hashed)
    return [feature.name for feature in model.contract.features if feature not in compared]


def _subject(feature: Feature) -> str:
    return f"{feature.name} (its length)" if feature.kind is TEXT else feature.name
