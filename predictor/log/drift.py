"""Whether a version is asked, and answers, otherwise than it was trained for.

Two figures per feature, for the top flag and for its score: the population stability index
(sum of (a - e) ln(a / e) over the shares asked, a, and expected, e; Siddiqi, Credit Risk
Scorecards, 2006: below 0.1 steady, above 0.25 a different population) and Pearson's chi-square.
Expected are the training data's shares (metadata.json, ``baseline``) or, without them, the
version's own first answers.
"""

import bisect
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache

from predictor.artifacts.contract import Feature
from predictor.artifacts.kinds import UNKNOWN
from predictor.artifacts.version import ModelVersion
from predictor.models import Prediction

ASKED = 2_000  # the newest answers that are looked at
FIRST = 1_000  # the version's first answers, where there is no baseline
FEWEST = 200  # fewer answers tell nothing
_KEPT = 300  # seconds a result is good for
_LEAST = 1e-4  # a share of nothing counts as this, or one unseen label made the index infinite
_MAX_KINDS = 50  # more different numbers than that are put into ten bins
_LEAST_EXPECTED = 5  # Cochran's rule: rarer categories are taken together for chi-square

TRAINING = "the training data"
Shares = Mapping[str, float]
_Row = tuple[UUID, dict[str, Any], str, dict[str, float]]


@dataclass(frozen=True)
class Drift:
    """How far one thing has drifted. ``against`` says what it is compared with."""

    model: str
    version: str
    subject: str
    psi: float
    chi_square: float
    p_value: float
    answers: int
    against: str


def drift(model: ModelVersion) -> list[Drift]:
    """The drift of a version, the worst first; empty while it has too few answers. Kept a while."""
    key = f"drift:{model.name}:{model.sha256}"
    found: list[Drift] | None = cache.get(key)
    if found is None:
        found = measure_drift(model)
        cache.set(key, found, _KEPT)
    return found


def measure_drift(model: ModelVersion) -> list[Drift]:
    """As ``drift``, from the log as it is now."""
    rows = Prediction.objects.filter(model=model.name, version=model.version).values_list(
        "id", "inputs", "top_flag", "scores"
    )
    newest = list(rows.order_by("-id")[:ASKED])
    first = list(rows.order_by("id")[:FIRST])
    later = [row for row in newest if row[0] > first[-1][0]]
    trained = _baseline(model)
    subjects: list[tuple[str, Callable[[_Row], Any]]] = [
        *((feature.name, _input(model.name, feature)) for feature in model.contract.features),
        ("top flag", lambda row: row[2]),
        ("top score", lambda row: row[3][row[2]]),
    ]
    found = []
    for subject, value_of in subjects:
        if subject in trained:
            asked, expected, against = _texts(map(value_of, newest)), trained[subject], TRAINING
        else:
            earlier, asked = _comparable([*map(value_of, first)], [*map(value_of, later)])
            expected, against = _shares(earlier), f"its first {len(first):,} answers"
        if len(asked) >= FEWEST and expected:
            psi, chi_square, p_value = psi_and_chi_square(Counter(asked), expected)
            found.append(
                Drift(model.name, model.version, subject, psi, chi_square, p_value, len(asked),
                      against)
            )  # fmt: skip
    return sorted(found, key=lambda one: -one.psi)


def psi_and_chi_square(asked: Mapping[str, int], expected: Shares) -> tuple[float, float, float]:
    """Population stability index, chi-square and its p-value of counts against shares."""
    total = sum(asked.values())
    index = 0.0
    common: list[tuple[float, float]] = []  # (observed, expected) counts
    rare_observed = rare_expected = 0.0
    for kind in asked.keys() | expected.keys():
        observed, share = asked.get(kind, 0), max(expected.get(kind, 0.0), _LEAST)
        actual = max(observed / total, _LEAST)
        index += (actual - share) * math.log(actual / share)
        if share * total < _LEAST_EXPECTED:
            rare_observed, rare_expected = rare_observed + observed, rare_expected + share * total
        else:
            common.append((observed, share * total))
    if rare_expected:
        common.append((rare_observed, rare_expected))
    chi_square = sum((o - e) ** 2 / e for o, e in common)
    return index, chi_square, _chance(chi_square, len(common) - 1)


def _chance(chi_square: float, degrees: int) -> float:
    """The chance of such a chi-square, or a greater one, without any drift."""
    if degrees < 1:
        return 1.0
    # scipy takes a third of a second to load, which only a report should cost
    from scipy.special import chdtrc  # noqa: PLC0415

    return float(chdtrc(degrees, chi_square))


def _baseline(model: ModelVersion) -> dict[str, Shares]:
    """The training data's shares, of those features where they are shares of what can be asked."""
    described = model.metadata.get("baseline", {})
    found: dict[str, Shares] = {}
    for feature in model.contract.features:
        if f"{model.name}.{feature.name}" in settings.LOG_HASHES:
            continue  # what is asked is not known, only whether it is the same
        shares = described.get(feature.name)
        if not isinstance(shares, Mapping) or not all(map(_is_share, shares.values())):
            continue
        total = sum(shares.values())
        if total > 0 and (not feature.labels or shares.keys() <= {*feature.labels, UNKNOWN}):
            found[feature.name] = {str(kind): share / total for kind, share in shares.items()}
    return found


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0


def _input(model: str, feature: Feature) -> "Callable[[_Row], Any]":
    """What is counted of a feature's value; None where the log leaves the field out."""
    name, counted = feature.name, feature.kind.counted
    hashed = f"{model}.{name}" in settings.LOG_HASHES

    def value_of(row: _Row) -> Any:
        if name not in row[1]:
            return None
        value = row[1][name]
        if value is None:
            return UNKNOWN
        return value if hashed else counted(value)

    return value_of


def _texts(values: Iterable[Any]) -> list[str]:
    return [v if isinstance(v, str) else f"{v:g}" for v in values if v is not None]


def _shares(kinds: Sequence[str]) -> Shares:
    return {kind: count / len(kinds) for kind, count in Counter(kinds).items()}


def _comparable(earlier: list[Any], later: list[Any]) -> tuple[list[str], list[str]]:
    """Both as kinds: texts and few numbers as they are, many numbers by tenths of the earlier."""
    numbers = sorted(v for v in earlier if isinstance(v, int | float))
    if len(set(numbers)) <= _MAX_KINDS:
        return _texts(earlier), _texts(later)
    edges = [numbers[len(numbers) * tenth // 10] for tenth in range(1, 10)]

    def binned(values: list[Any]) -> list[str]:
        return [str(bisect.bisect_right(edges, v)) for v in values if isinstance(v, int | float)]

    return binned(earlier), binned(later)
