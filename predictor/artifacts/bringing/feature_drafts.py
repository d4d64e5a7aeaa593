"""A draft of one feature's description, from its column of the training data."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.kinds import unknown_word
from predictor.artifacts.lookup_values import MAX_LABELS
from predictor.artifacts.untrusted import is_label

_FEW = 50  # most texts that are still labels, and numbers that drift counts one by one
_DIGITS = 3  # of a default


def feature_draft(
    name: str, column: pd.Series, found: Mapping[str, Any], given: Any
) -> tuple[Any, dict[str, Any]]:
    """(value in the lookup, entry in metadata.json) of a column."""
    known = column.dropna()
    if isinstance(given, list | dict):
        value, said = given, dict[str, Any]()
    else:
        value, said = _kind(name, known, found)
    middle = typical(known, 0.5, value, said)
    return value, said if middle is None else {**said, "default": middle}


def _kind(  # noqa: PLR0911 - one for each kind
    name: str, known: pd.Series, found: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    types = pd.api.types
    if known.empty:
        raise ArtifactError(f"the column {name!r} of the data is empty: leave it out of the model")
    if found.get("type") == "text":
        return "", {}
    if isinstance(known.dtype, pd.CategoricalDtype):
        return _categories(name, known.cat.categories.tolist()), {}
    if found.get("type") == "choice":
        return list(found["labels"]), {}
    if known.map(type).eq(bool).all():
        return False, {}
    if types.is_datetime64_any_dtype(known.dtype):
        days = (known == known.dt.normalize()).all()
        return 0, {"type": "date" if days else "date-time"}
    if types.is_integer_dtype(known.dtype):
        return 0, {"type": "integer", **_bounds(known)}
    if types.is_float_dtype(known.dtype):
        return 0, _bounds(known)
    return _texts(name, known), {}


def _texts(name: str, known: pd.Series) -> list[str] | str:
    """A choice where there are few texts, else free text. Raises ArtifactError for other cells."""
    _check_cells(name, known, str)
    labels = sorted(set(known))
    few = len(labels) <= min(_FEW, max(2, len(known) // 2))
    return labels if few and all(map(is_label, labels)) else ""


def _check_cells(name: str, cells: Iterable[Any], *kinds: type) -> None:
    """Raise ArtifactError for the first cell of another type."""
    if odd := [cell for cell in cells if not isinstance(cell, kinds)]:
        raise ArtifactError(
            f"the column {name!r} of the data holds a {type(odd[0]).__name__}, which no feature "
            "can be: pass numbers, texts, dates or true and false"
        )


def _categories(name: str, categories: Sequence[Any]) -> Any:
    if all(isinstance(category, str) for category in categories):
        return [category for category in categories if is_label(category)]
    if len(categories) > MAX_LABELS:
        raise ArtifactError(f"the column {name!r} has more than {MAX_LABELS:,} categories")
    _check_cells(name, categories, str, int, float)
    return {str(category): category for category in categories}


def _bounds(known: pd.Series) -> dict[str, Any]:
    """The range of the data, widened by its width on both sides, but not across zero."""
    low, high = float(known.min()), float(known.max())
    width = high - low
    exact = max(-low, high) < 2**53 or not pd.api.types.is_integer_dtype(known.dtype)
    if not (0 < width < math.inf and exact):
        return {}
    below = 0.0 if low >= 0 > low - width else low - width
    above = 0.0 if high <= 0 < high + width else high + width
    step = 10.0 ** (math.floor(math.log10(width)) - 1)
    bounds = math.floor(below / step) * step, math.ceil(above / step) * step
    return dict(zip(("minimum", "maximum"), (short(b, 12) for b in bounds), strict=True))


def short(number: Any, digits: int = _DIGITS) -> int | float:
    """``number`` with few digits; a whole number stays whole."""
    short = float(f"{float(number):.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 2**53 else short


def typical(known: pd.Series, share: float, value: Any, described: Mapping[str, Any]) -> Any:
    """The column's median, or another quantile; None for a text."""
    if value == "" and isinstance(value, str):
        return None
    if isinstance(value, list | dict) or value is False:
        return _common(known, share, value)
    middle = known.sort_values().iloc[math.floor((len(known) - 1) * share)]
    if described.get("type") in ("date", "date-time"):
        moment = middle.tz_convert(None) if middle.tzinfo else middle
        return moment.date().isoformat() if described["type"] == "date" else (
            moment.floor("min").isoformat())  # fmt: skip
    if described.get("type") == "integer":
        return int(middle)
    number = short(middle)
    low, high = described.get("minimum", number), described.get("maximum", number)
    return min(max(number, low), high)


def _common(known: pd.Series, share: float, value: Any) -> Any:
    """The most frequent label or boolean; further from the median the next ones."""
    common = known.value_counts(sort=True).index
    if isinstance(value, list):  # without blanks and the like, which no request can name
        common = [cell for cell in common if cell in value] or value
    chosen = common[min(len(common) - 1, round(abs(share - 0.5) * 4))]
    return bool(chosen) if value is False else _label(chosen, value)


def shares(column: pd.Series, value: Any) -> Iterator[tuple[str, float]]:
    """(label or number, its share) of a column with few distinct values."""
    counts = column.value_counts(normalize=True, dropna=False)
    labels = isinstance(value, list | dict)
    text = isinstance(value, str)
    dated = pd.api.types.is_datetime64_any_dtype(column.dtype)
    if text or dated or (len(counts) > _FEW and not labels):
        return
    for cell, share in counts.items():
        if share:
            yield _counted(cell, value), round(float(share), 6)


def _counted(cell: Any, value: Any) -> str:
    """The key under which drift counts this value in the log."""
    labels = isinstance(value, list | dict)
    if pd.isna(cell):
        return unknown_word(map(str, value) if labels else ())
    if labels:
        return _label(cell, value)
    if isinstance(cell, bool | np.bool_):
        return str(bool(cell)).lower()
    return f"{cell:g}"


def _label(cell: Any, value: Any) -> str:
    """The label that stands for ``cell`` in the lookup."""
    codes = value.items() if isinstance(value, dict) else ()
    return next((label for label, code in codes if code == cell), str(cell))
