"""The ladder of an attribution: from the average answer to the answer itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.inputs import Row
from predictor.artifacts.wrong_values import WrongValueError
from predictor.predictions.permutations import Estimate

Scores = dict[str, float]  # by flag


@dataclass(frozen=True)
class Rung:
    """The answer once the model knows one more selector; ``feature`` is empty for the average."""

    feature: str
    scores: Scores
    within: Scores  # error of 95 % of estimates at most; 0 where exact
    tested: bool = True  # whether any test has covered the effect of this value


def order_of(contract: Contract, otherwise: list[int], why: str) -> tuple[list[int], str]:
    """The order of selectors on the ladder, and its source."""
    stated = contract.metadata.get("explain", {}).get("order", [])
    names = [feature.name for feature in contract.features]
    first = [names.index(n) for n in stated if n in names] if isinstance(stated, list) else []
    order = list(dict.fromkeys([*first, *otherwise]))
    return order, "as the model's author states it" if first else why


def rungs_of(
    contract: Contract, row: Row, order: Sequence[int], found: Sequence[Estimate]
) -> list[Rung]:
    """One rung for the average, and one for each selector of ``order``."""
    named = partial(by_name, contract.flag_names)
    (average, *others) = ((named(one.mean), named(one.within)) for one in found)
    rungs = [Rung("", *average)]
    for at, (scores, within) in zip(order, others, strict=True):
        feature = contract.features[at]
        tested = _is_tested(contract, feature, row[at])
        rungs.append(Rung(feature.name, scores, within, tested))
    return rungs


def _is_tested(contract: Contract, feature: Feature, cell: Any) -> bool:
    """Whether tests cover the value's effect: metadata.json lists those that no test covers."""
    listed = contract.metadata.get("untested", {}).get(feature.name, [])
    read = feature.reader()
    for value in listed if isinstance(listed, list) else []:
        try:
            if read(value) == cell:
                return False
        except WrongValueError:
            continue
    return True


def by_name(flags: Sequence[str], scores: Sequence[float]) -> Scores:
    """A score for each flag, in the order of ``flags``."""
    return dict(zip(flags, scores, strict=True))
