"""Long sweeps: the fast suite takes a sample of the cases, the whole suite all of them."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest


def swept(cases: Mapping[str, Any] | Iterable[Any], fast: int) -> list[Any]:
    """``cases`` as parameters, ids from a mapping's keys, about ``fast`` of them in the fast suite.

    The sample is spread over the list, because neighbours are alike.
    """
    named = list(cases.items()) if isinstance(cases, Mapping) else [(None, c) for c in cases]
    step = -(-len(named) // fast)
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)),
            id=name,
            marks=() if number % step == 0 else pytest.mark.slow,
        )
        for number, (name, case) in enumerate(named)
    ]
