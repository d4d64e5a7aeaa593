"""Why the model answers so: the part of each selector in one answer. Attribution, not causes.

First a ladder: the average answer, then the answer as the model learns one selector after the
other; the last rung is the answer itself. The order is stated, since another order gives other
parts. Then each selector's Shapley value, the mean over all orders. Both are exact where the model
has a table of its answers, and estimated with a stated error where it has none.
"""

import hashlib
import logging
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from predictor.artifacts.baseline import trained_shares
from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.errors import ScoringError, public_sentence
from predictor.artifacts.inputs import Row
from predictor.artifacts.table import Table
from predictor.artifacts.version import ModelVersion
from predictor.predictions.background import background_of, reference_of
from predictor.predictions.coalitions import Coalitions, fits
from predictor.predictions.ladder import Rung, Scores, by_name, order_of, rungs_of
from predictor.predictions.permutations import (
    FEWEST_PAIRS,
    Estimate,
    sampled_ladder,
    sampled_parts,
)

logger = logging.getLogger(__name__)

EXPLAIN = "explain"  # the query parameter, and the key of an answer's attribution
MOST_ITEMS = 10  # items of an array to explain
SECONDS = 2.0  # that an estimate may take
_LADDER = 50  # cases from which a ladder's means are estimated
_KEPT = 4  # versions whose coalitions are cached


class Unexplained(Exception):
    """There is an answer without an attribution; the message says why."""


@dataclass(frozen=True)
class Attribution:
    """One answer, split into the parts of the selectors."""

    exact: bool
    reference: str  # what "unknown" means
    order_from: str
    ladder: list[Rung]
    base: Scores
    parts: dict[str, Scores]  # per selector; with ``base`` they add up to the answer
    within: dict[str, Scores]  # as in a rung; empty where the parts are exact
    pairs: int = 0

    def as_json(self) -> dict[str, Any]:
        """The attribution in the API's JSON."""
        rungs = [
            {"feature": r.feature or None, "scores": r.scores, "tested": r.tested}
            | ({} if self.exact else {"within": r.within})
            for r in self.ladder
        ]
        estimated = {} if self.exact else {"within": self.within, "pairs": self.pairs}
        return {
            "exact": self.exact,
            "reference": self.reference,
            "order_from": self.order_from,
            "ladder": rungs,
            "base": self.base,
            "parts": self.parts,
            **estimated,
        }


def is_exact(model: ModelVersion) -> bool:
    """Whether an attribution takes only table lookups, not the estimator."""
    return isinstance(model.scorer, Table) and fits(model.scorer)


def importance(model: ModelVersion) -> list[tuple[Feature, float]]:
    """Each selector with the mean size of its part over all cases, the greatest first.

    Exact, and in the unit of the scores; empty unless ``is_exact``.
    """
    if not is_exact(model):
        return []
    _, sizes = _coalitions_of(model)
    named = zip(model.contract.features, sizes, strict=True)
    return sorted(named, key=lambda pair: -pair[1])


def attribute(model: ModelVersion, row: Row) -> Attribution:
    """Each selector's part in the answer to ``row``; nothing is recorded.

    The same row always has the same attribution. Raises Unexplained when the model is too slow, or
    has no answer for some of the needed cases.
    """
    if is_exact(model):
        return _exactly(model, row)
    if not _turn.acquire(timeout=SECONDS):
        raise Unexplained("other answers are being explained; try again")
    try:
        return _estimated(model, row)
    except ScoringError as error:
        logger.warning("no explanation: %s", error)
        why = public_sentence(error)
        raise Unexplained(f"a case that the explanation needs has no answer: {why}") from error
    finally:
        _turn.release()


_turn = threading.Lock()  # one estimate at a time per worker, so that predictions get a turn
_coalitions: OrderedDict[str, tuple[Coalitions, list[float]]] = OrderedDict()


def _coalitions_of(model: ModelVersion) -> tuple[Coalitions, list[float]]:
    """The model's coalitions, and each selector's importance."""
    if model.sha256 not in _coalitions:
        _coalitions[model.sha256] = _prepared(model)
        if len(_coalitions) > _KEPT:
            _coalitions.popitem(last=False)
    return _coalitions[model.sha256]


def _exactly(model: ModelVersion, row: Row) -> Attribution:
    coalitions, sizes = _coalitions_of(model)
    by_importance = sorted(range(len(sizes)), key=lambda at: -sizes[at])
    order, order_from = order_of(model.contract, by_importance, "by importance over all cases")
    features = model.contract.features
    flags = model.contract.flag_names
    stand_ins = _fallbacks(features)
    named, exact = partial(by_name, flags), [0.0] * len(flags)
    steps = [[at in order[:known] for at in range(len(order))] for known in range(len(order) + 1)]
    ladder = [Estimate(coalitions.known(row, which, stand_ins), exact) for which in steps]
    nothing = coalitions.known(row, [False] * len(row))
    parts = {f.name: named(p) for f, p in zip(features, coalitions.parts(row), strict=True)}
    reference = reference_of(model.contract)
    rungs = rungs_of(model.contract, row, order, ladder)
    return Attribution(True, reference, order_from, rungs, named(nothing), parts, {})


def _prepared(model: ModelVersion) -> tuple[Coalitions, list[float]]:
    assert isinstance(model.scorer, Table)  # noqa: S101 - for mypy
    weights = [
        _weights(model.contract, feature, axis)
        for feature, axis in zip(model.contract.features, model.scorer.grid.axes, strict=True)
    ]
    coalitions = Coalitions(model.scorer, weights)
    return coalitions, coalitions.importance()


def _weights(contract: Contract, feature: Feature, axis: Sequence[Any]) -> list[float]:
    """The share of each cell in the training data; equal shares where these are unknown."""
    read, counted = feature.reader(), dict.fromkeys(axis, 0.0)
    for value, share in trained_shares(contract, feature).items():
        counted[read(value)] += share
    return list(counted.values()) if any(counted.values()) else [1 / len(axis)] * len(axis)


def _fallbacks(features: Sequence[Feature]) -> Row:
    """The value of an unknown selector on the ladder: the model's own label for unknown values."""
    return tuple((f.labels or {})[f.fallback] if f.fallback else None for f in features)


# --- estimates --------------------------------------------------------------------------------


def _estimated(model: ModelVersion, row: Row) -> Attribution:
    deadline = time.monotonic() + SECONDS
    ask = partial(_ask, model, deadline)
    seed = hashlib.sha256(f"{model.sha256} {row!r}".encode()).digest()
    chance = random.Random(int.from_bytes(seed[:8]))  # noqa: S311 - the same every time
    draw, reference = background_of(model)
    background = [draw(chance) for _ in range(_LADDER)]
    late = lambda: time.monotonic() > deadline - SECONDS / 3  # noqa: E731 - the ladder takes the rest
    sampled = sampled_parts(ask, row, draw, chance, late)
    if sampled.pairs < FEWEST_PAIRS:
        raise Unexplained(f"the model is too slow to be explained within {SECONDS:g} s")
    sizes = [sum(map(abs, part.mean)) for part in sampled.parts]
    largest_first = sorted(range(len(sizes)), key=lambda at: -sizes[at])
    contract = model.contract
    order, order_from = order_of(contract, largest_first, "the greatest part in this answer first")
    rungs = rungs_of(contract, row, order, sampled_ladder(ask, row, order, background))
    parts, within = _named_parts(contract, sampled.parts)
    base = by_name(contract.flag_names, sampled.base.mean)
    return Attribution(False, reference, order_from, rungs, base, parts, within, sampled.pairs)


def _ask(model: ModelVersion, deadline: float, rows: Sequence[Row]) -> Any:
    if time.monotonic() > deadline:
        raise Unexplained(f"the model is too slow to be explained within {SECONDS:g} s")
    return model.score(rows)


def _named_parts(
    contract: Contract, parts: Sequence[Estimate]
) -> tuple[dict[str, Scores], dict[str, Scores]]:
    named = partial(by_name, contract.flag_names)
    pairs = list(zip((f.name for f in contract.features), parts, strict=True))
    means = {name: named(part.mean) for name, part in pairs}
    return means, {name: named(part.within) for name, part in pairs}
