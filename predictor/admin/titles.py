"""Translates flags and cases from the log into titles that people read, and back."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from predictor.artifacts.contract import Contract, Feature
from predictor.log.privacy import is_pseudonym
from predictor.models import Prediction
from predictor.serving.current import serving
from predictor.serving.errors import ModelUnavailable, UnknownModel

_MOST_VALUES = 50  # of a feature that one word may match


def contract_of(model: str) -> Contract | None:
    """The contract of the version that answers now; None if none does."""
    try:
        return serving().active(model).contract
    except (ModelUnavailable, UnknownModel):
        return None


def flag_title(model: str, flag: str) -> str:
    """The flag's title; the flag itself if no version that answers has it."""
    contract = contract_of(model)
    titles = {each.name: each.title for each in contract.flags} if contract else {}
    return titles.get(flag, flag)


def flag_titles() -> dict[str, str]:
    """Titles by flag; if models have different titles for a flag, all of them."""
    found: dict[str, dict[str, None]] = {}
    for model in serving().at_hand().values():
        for flag in model.contract.flags:
            found.setdefault(flag.name, {})[flag.title] = None
    return {flag: " / ".join(titles) for flag, titles in found.items()}


def case_of(row: Prediction) -> list[tuple[str, str]]:
    """(title, value) as people read them, for fields that the active version still has."""
    contract = contract_of(row.model)
    features = contract.features if contract else ()
    known = [
        (f.title, _kept(f, row.inputs[f.name])) for f in features if f.name in row.inputs
    ]  # in the model's order, since PostgreSQL's JSON does not keep the order
    names = {feature.name for feature in features}
    return known + [(name, str(value)) for name, value in row.inputs.items() if name not in names]


def _kept(feature: Feature, value: Any) -> str:
    return str(value) if is_pseudonym(value) else feature.with_unit(value)


def named(word: str, text: str) -> Q:
    """The rows with ``word`` in their column ``text``, or in the title of their flag or a value."""
    sought = word.casefold()
    flags = [flag for flag, title in flag_titles().items() if sought in title.casefold()]
    wanted = Q(**{f"{text}__icontains": word}) | Q(top_flag__icontains=word) | Q(top_flag__in=flags)
    for model in serving().at_hand().values():
        for field, value in _values(model.contract, sought):
            wanted |= Q(**{f"inputs__{field}": value}, model=model.name)
    return wanted


def _values(contract: Contract, sought: str) -> Iterator[tuple[str, Any]]:
    """Values whose title has the word, since the log holds them by another name."""
    for feature in contract.features:
        if "__" in feature.name:  # Django would read it as a lookup
            continue
        found = [
            value
            for value, shown in feature.choices() or ()
            if str(value) != shown and sought in shown.casefold()
        ]
        for value in found[:_MOST_VALUES]:
            yield feature.name, value
