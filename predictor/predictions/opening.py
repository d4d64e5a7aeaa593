"""Cases to begin with: the one in which a form opens, and a random one."""

import random
from collections.abc import Callable, Mapping
from typing import Any

from predictor.artifacts.baseline import trained_shares
from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.kinds import NUMBER, WHOLE
from predictor.artifacts.kinds.numbers import whole_bounds
from predictor.artifacts.wrong_values import WrongValueError

_DIGITS = 3  # of a random number: 37.2 is easier to read than 37.21904


def opening_case(contract: Contract) -> dict[str, Any]:
    """A whole case that the model answers, so that a first COMPUTE needs no input.

    Each feature has its default, else its value in the version's first example, else the most
    frequent one in training, else none if it may be missing, else any valid value.
    """
    stated = contract.metadata.get("examples") or {}
    example: Mapping[str, Any] = next(iter(stated.values()), {})
    return {f.name: _opening_value(contract, f, example) for f in contract.features}


def chance_cases(contract: Contract) -> Callable[[random.Random], dict[str, Any]]:
    """A function that draws a random case: each feature by its shares in the training data.

    Without shares all choices are equally likely, and a number is anywhere between its bounds; a
    feature with neither is as in the opening case.
    """
    opening = opening_case(contract)
    draws = [(f.name, _draw_of(contract, f, opening[f.name])) for f in contract.features]
    return lambda chance: {name: draw(chance) for name, draw in draws}


def _opening_value(contract: Contract, feature: Feature, example: Mapping[str, Any]) -> Any:
    if feature.default is not None:
        return feature.default
    if feature.name in example and _is_valid(feature, example[feature.name]):
        return example[feature.name]
    shares = trained_shares(contract, feature)
    if shares:
        return max(shares, key=shares.__getitem__)
    return None if feature.missing else feature.example()


def _is_valid(feature: Feature, value: Any) -> bool:
    try:
        feature.reader()(value)
    except WrongValueError:
        return False
    return True


def _draw_of(contract: Contract, feature: Feature, opening: Any) -> Callable[[random.Random], Any]:
    shares = trained_shares(contract, feature)
    if shares:
        values, weights = list(shares), list(shares.values())
        return lambda chance: chance.choices(values, weights)[0]
    choices = [value for value, _ in feature.choices() or []]
    if choices:
        return lambda chance: chance.choice(choices)
    low, high = feature.minimum, feature.maximum
    if feature.kind not in (NUMBER, WHOLE) or low is None or high is None:
        return lambda _chance: opening
    if feature.kind is WHOLE:
        first, last = whole_bounds(feature)
        return lambda chance: chance.randint(first, last)
    return lambda chance: _rounded(_between(low, high, chance.random()), low, high)


def _between(low: float, high: float, share: float) -> float:
    return low * (1 - share) + high * share  # the difference itself may overflow a float


def _rounded(number: float, low: float, high: float) -> float:
    """``number`` with few digits, if it is still between the bounds."""
    short = float(f"{number:.{_DIGITS}g}")
    return short if low <= short <= high else number
