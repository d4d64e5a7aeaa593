"""The building blocks for checks of arrays inside estimators."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from predictor.artifacts.errors import ArtifactError


def require(condition: Any, what: str) -> None:
    """Raises ArtifactError saying ``what`` unless ``condition`` holds."""
    if not condition:
        raise ArtifactError(f"{what}: the file is damaged or was made to crash the server")


def within(indices: Any, low: int, high: int) -> bool:
    """Whether all ``indices`` are whole numbers from ``low`` up to, not including, ``high``."""
    array = np.asarray(indices)
    return array.dtype.kind in "iu" and bool(((array >= low) & (array < high)).all())


def numeric(array: Any, width: int | None, what: str) -> None:
    """An array of numbers whose last axis is ``width`` long (None: any)."""
    if hasattr(array, "toarray"):  # sparse; check_sparse checks its indices
        require(width is None or array.shape[-1] == width, f"{what} have the wrong width")
        return
    array = np.asarray(array)
    require(array.dtype.kind in "biuf", f"{what} are no numbers")
    require(width is None or (array.ndim > 0 and array.shape[-1] == width),
             f"{what} have the wrong width")  # fmt: skip


def objects(root: Any) -> Iterator[Any]:
    """``root`` and everything it holds that has attributes, or is an array of a special kind."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        thing = waiting.pop()
        if thing is None or isinstance(thing, str | bytes | int | float) or id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            if thing.dtype == object:
                waiting.extend(thing.ravel().tolist())
            continue
        if isinstance(thing, dict):
            waiting.extend(thing.values())
        elif isinstance(thing, list | tuple | set | frozenset):
            waiting.extend(thing)
        if not isinstance(thing, type):
            yield thing
            waiting.extend(getattr(thing, "__dict__", {}).values())
