"""What was in the training data, as metadata.json says (``baseline``)."""

import math
from collections.abc import Mapping
from typing import Any

from .contract import Contract, Feature
from .kinds import TEXT, UNKNOWN_WORDS
from .wrong_values import WrongValueError


def is_missing(feature: Feature, key: str) -> bool:
    """Whether ``key`` is the one that counts missing values.

    Older files, made before a label could be called "unknown" too, count them under "unknown".
    """
    return key == feature.unknown or (key == UNKNOWN_WORDS[0] and key not in (feature.labels or ()))


def trained_shares(contract: Contract, feature: Feature) -> dict[Any, float]:
    """The share of each value of ``feature``, together 1, in the order of the metadata.

    Values are as a request has them, None for a missing one. Keys that are not values of the
    feature are left out. Empty where the metadata has no shares; of a text it has lengths, not
    values.
    """
    described = contract.metadata.get("baseline", {}).get(feature.name)
    if not isinstance(described, Mapping) or feature.kind is TEXT:
        return {}
    read = feature.reader()
    counted: dict[Any, float] = {}
    for key, share in described.items():
        if not (isinstance(share, int | float) and 0 < share < math.inf):
            continue
        missing = feature.missing and is_missing(feature, key)
        value = None if missing else feature.value_from_text(str(key))
        try:
            read(value)
        except WrongValueError:
            continue
        counted[value] = counted.get(value, 0.0) + share
    total = math.fsum(counted.values())
    return {value: share / total for value, share in counted.items()}
