"""What a fitted estimator shows of its inputs that neither lookup nor metadata says.

The estimator is walked from its columns on: an encoder that learnt texts wants labels, not codes;
an imputer says that values may be missing; a vectoriser wants one list of texts. All that is found
is an assumption: examination.py tries it before it goes into the verdict.
"""

from typing import Any

from predictor.artifacts.contract import Contract

from .findings import Column, Discovery
from .trees import spread
from .walk import Walk

__all__ = ["Discovery", "discover"]


def discover(contract: Contract, estimator: Any) -> Discovery:
    """What ``estimator`` shows of the features of ``contract``."""
    walk = Walk(contract)
    columns = [
        Column(place)
        for place, feature in enumerate(contract.features)
        for _ in range(feature.size)
    ]
    walk.follow(estimator, columns, alone=len(columns) == 1)
    found, learnt = walk.found, walk.learnt
    found.middles = learnt.middles()
    found.branches = {name: list(spread(cells)) for name, cells in learnt.branches.items()}
    return found
