"""The what-if scope as the server draws it: each value of one feature as a bar and a link."""

from collections.abc import Mapping
from typing import Any

from batclient.printout import score_in_words
from predictor.artifacts.addresses import address_of
from predictor.artifacts.contract import Contract, Flag
from predictor.artifacts.version import ModelVersion
from predictor.predictions.sensitivity import compare


def shown_flag(contract: Contract) -> Flag:
    """The flag whose scores are compared: of two the second, a classifier's positive class."""
    return contract.flags[1 if len(contract.flags) == 2 else 0]


def ranking(model: ModelVersion, item: Mapping[str, Any], vary: str) -> list[dict[str, Any]]:
    """A row per value, labels ranked by their score, numbers in their own order.

    Raises InvalidInput and ScoringError as ``compare`` does.
    """
    flag = shown_flag(model.contract).name
    options = compare(model, item, vary)
    if all(isinstance(option.value, str) for option in options):
        options.sort(key=lambda option: -option.scores[flag])
    highest = max(abs(option.scores[flag]) for option in options) or 1
    return [
        {
            "shown": option.shown,
            "current": option.current,
            "text": score_in_words(option.scores[flag], model.scorer.kind),
            "percent": round(abs(option.scores[flag]) / highest * 100, 2),
            "query": address_of({**item, vary: option.value}),
        }
        for option in options
    ]
