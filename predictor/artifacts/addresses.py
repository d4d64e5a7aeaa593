"""How a case is written in a query string and in the console's form."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from predictor.artifacts.contract import Contract
from predictor.artifacts.inputs import item_from_text
from predictor.artifacts.texts import text_of

# Query parameters that are not part of the case.
_OWN = frozenset({"columns", "csrfmiddlewaretoken", "flag", "rows", "vary"})


def parameter(feature: str) -> str:
    """The feature's query parameter: its name, after an underscore if that name is taken."""
    return f"_{feature}" if feature.lstrip("_") in _OWN else feature


def case_from(contract: Contract, texts: Mapping[str, str]) -> dict[str, Any]:
    """The case that a form or a query string holds, see item_from_text."""
    names = [(feature.name, parameter(feature.name)) for feature in contract.features]
    return item_from_text(contract, {name: texts[own] for name, own in names if own in texts})


def address_of(case: Mapping[str, Any], **own: str) -> str:
    """The query string that ``case_from`` reads as ``case``, with our ``own`` parameters."""
    return urlencode({parameter(name): text_of(value) for name, value in case.items()} | own)
