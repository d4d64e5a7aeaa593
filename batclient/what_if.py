"""The what-if scope: each value of one feature as a bar and a link."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from batclient.printout import score_in_words
from predictor.artifacts.addresses import address_of
from predictor.artifacts.contract import Contract, Flag
from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.version import ModelVersion
from predictor.predictions.sensitivity import Option, comparable, compare


@dataclass(frozen=True)
class Row:
    """One value: its bar, and the address of the case with it."""

    shown: str
    current: bool
    text: str
    percent: float  # of the longest bar
    address: str


@dataclass(frozen=True)
class Ranking:
    """One flag's score for every value of one feature."""

    flag: Flag
    by_score: bool  # the highest first, of labels; other values stay in their own order
    rows: list[Row]
    options: list[Option]


def shown_flag(contract: Contract, name: str = "") -> Flag:
    """The flag called ``name``, or else of two the second, a classifier's positive class."""
    usual = contract.flags[1 if len(contract.flags) == 2 else 0]
    return next((flag for flag in contract.flags if flag.name == name), usual)


def tabs(contract: Contract, case: Mapping[str, Any]) -> list[dict[str, str]]:
    """The features to vary, each with the address that does it for ``case``."""
    return [
        {"vary": f.name, "title": f.title, "address": address_of(case, vary=f.name)}
        for f in comparable(contract)
    ]


def ranking(model: ModelVersion, case: Mapping[str, Any], vary: str, flag_name: str) -> Ranking:
    """A row per value of the feature ``vary``.

    Raises InvalidInput and ScoringError as ``compare`` does.
    """
    flag = shown_flag(model.contract, flag_name)
    options = compare(model, case, vary)
    by_score = any(feature.is_choice for feature in model.contract.features if feature.name == vary)
    shown = sorted(options, key=lambda o: -o.scores[flag.name]) if by_score else options
    highest = max(abs(option.scores[flag.name]) for option in options) or 1
    rows = [
        Row(
            option.shown,
            option.current,
            text=score_in_words(option.scores[flag.name], model.scorer.kind),
            percent=round(abs(option.scores[flag.name]) / highest * 100, 2),
            address=address_of({**case, vary: option.value}, vary=vary),
        )
        for option in shown
    ]
    return Ranking(flag, by_score, rows, options)


def ranking_of_link(
    model: ModelVersion, case: Mapping[str, Any], vary: str, flag_name: str
) -> Ranking | None:
    """The same for a link, which may name no feature to vary or less than a whole case: None."""
    try:
        return ranking(model, case, vary, flag_name) if vary else None
    except InvalidInput:
        return None
