"""Flags and cases by the names people read, and back from these to what the log holds."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from predictor.artifacts.contract import Contract, Feature
from predictor.log.privacy import is_pseudonym
from predictor.models import Prediction
from predictor.serving.current import serving
from predictor.serving.errors import ModelUnavailable, UnknownModel

_MOST_VALUES = 50  # of a feature, that one word finds


def contract_of(model: str) -> Contract | None:
    """That of the version that answers now; None where none does."""
    try:
        return serving().active(model).contract
    except (ModelUnavailable, UnknownModel):
        return None


def flag_title(model: str, flag: str) -> str:
    """As people read it; the flag itself where no version that answers has it."""
    contract = contract_of(model)
    titles = {each.name: each.title for each in contract.flags} if contract else {}
    return titles.get(flag, flag)


def flag_titles() -> dict[str, str]:
    """By flag; one that several models call differently by all its titles."""
    found: dict[str, dict[str, None]] = {}
    for model in serving().at_hand().values():
        for flag in model.contract.flags:
            found.setdefault(flag.name, {})[flag.title] = None
    return {flag: " / ".join(titles) for flag, titles in found.items()}


def case_of(row: Prediction) -> list[tuple[str, str]]:
    """(title, value) as people read them, where the active version still has the field."""
    contract = contract_of(row.model)
    features = contract.features if contract else ()
    known = [
        (f.title, _kept(f, row.inputs[f.name])) for f in features if f.name in row.inputs
    ]  # in the model's order, which PostgreSQL's JSON does not keep
    names = {feature.name for feature in features}
    return known + [(name, str(value)) for name, value in row.inputs.items() if name not in names]


def _kept(feature: Feature, value: Any) -> str:
    return str(value) if is_pseudonym(value) else feature.with_unit(value)


def named(word: str, text: str) -> Q:
    """The rows with ``word`` in their column ``text``, or in a title of their flag or a value."""
    sought = word.casefold()
    flags = [flag for flag, title in flag_titles().items() if sought in title.casefold()]
    wanted = Q(**{f"{text}__icontains": word}) | Q(top_flag__icontains=word) | Q(top_flag__in=flags)
    for model in serving().at_hand().values():
        for field, value in _values(model.contract, sought):
            wanted |= Q(**{f"inputs__{field}": value}, model=model.name)
    return wanted


def _values(contract: Contract, sought: str) -> Iterator[tuple[str, Any]]:
    """Values that the log holds under another name than the one people read."""
    for feature in contract.features:
        if "__" in feature.name:  # Django would take it for a look-up
            continue
        found = [
            value
            for value, shown in feature.choices() or ()
            if str(value) != shown and sought in shown.casefold()
        ]
        for value in found[:_MOST_VALUES]:
            yield feature.name, value
