"""The cases that an answer is compared with, and how they are described."""

import random
from collections.abc import Callable, Sequence

from predictor.artifacts.baseline import trained_shares
from predictor.artifacts.contract import Contract
from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.inputs import Row
from predictor.artifacts.version import ModelVersion
from predictor.models import Prediction
from predictor.predictions.opening import chance_cases

_LOGGED = (
    200  # first answers of a version that stand for its training data, where nothing else does
)


def reference_of(contract: Contract, fixed: Sequence[str] = ()) -> str:
    """What an answer without knowledge of a selector averages over, in words.

    Features with the titles ``fixed`` are described elsewhere.
    """
    unknown = [f.title for f in contract.features if not trained_shares(contract, f)]
    shares = "averages over the shares of the training data"
    if len(unknown) == len(contract.features):
        return "averages in which every possible value counts the same"
    alike = [title for title in unknown if title not in fixed]
    if not alike:
        return shares
    return f"{shares}; every possible value counts the same for {', '.join(alike)}"


def background_of(model: ModelVersion) -> tuple[Callable[[random.Random], Row], str]:
    """A function that draws a case to compare with, and a description of these cases.

    From the training data's shares where they are known; else from the version's first answers,
    which stay the same; else from all that the contract allows.
    """
    contract = model.contract
    if not all(trained_shares(contract, feature) for feature in contract.features):
        logged = _logged(model)
        if len(logged) >= _LOGGED:
            return (
                lambda chance: chance.choice(logged),
                f"the first {len(logged)} cases the version was asked",
            )
    case = chance_cases(contract)
    return lambda chance: model.encoder.encode(case(chance)), _drawn_from(contract)


def _drawn_from(contract: Contract) -> str:
    """As ``reference_of``, where a selector may have neither shares nor bounds."""
    draw = chance_cases(contract)
    fixed = [
        f.title
        for f in contract.features
        if len({repr(draw(random.Random(turn))[f.name]) for turn in range(3)}) == 1  # noqa: S311
        and not trained_shares(contract, f)
    ]
    tail = (
        f"; always the same for {', '.join(fixed)}, of which no bounds are known" if fixed else ""
    )
    return reference_of(contract, fixed) + tail


def _logged(model: ModelVersion) -> list[Row]:
    rows = Prediction.objects.filter(
        model=model.name, version=model.version, sha256=model.sha256
    ).order_by("id")
    found = []
    for inputs in rows.values_list("inputs", flat=True)[:_LOGGED]:
        try:
            found.append(model.encoder.encode(inputs))
        except InvalidInput:  # the log hashes a field or leaves it out
            return []
    return found
