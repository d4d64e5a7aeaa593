"""What a fitted estimator reveals of its inputs beyond lookup and metadata.

The walk starts at the estimator's columns: an encoder that learnt texts takes labels, not codes; an
imputer means that values may be missing; a vectoriser takes one list of texts. Each finding is an
assumption: examination.py tries it before it goes into the verdict.
"""

from typing import Any

from predictor.artifacts.contract import Contract
from predictor.artifacts.kinds.dates import Date, unit_of

from .findings import Column, Discovery
from .trees import spread
from .walk import Walk

__all__ = ["Discovery", "discover"]


def discover(contract: Contract, estimator: Any) -> Discovery:
    """What ``estimator`` reveals of the features of ``contract``."""
    walk = Walk(contract, framed=hasattr(estimator, "feature_names_in_"))
    columns = [
        Column(place)
        for place, feature in enumerate(contract.features)
        for _ in range(feature.size)
    ]
    walk.follow(estimator, columns, alone=len(columns) == 1)
    found, learnt = walk.found, walk.learnt
    found.middles = learnt.middles()
    for feature in contract.features:
        if isinstance(feature.kind, Date) and (unit := unit_of(found.middles.get(feature.name))):
            found.note(feature.name, column=f"datetime64[{unit}]")
    found.branches = {name: list(spread(cells)) for name, cells in learnt.branches.items()}
    return found
