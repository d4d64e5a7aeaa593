"""A draft of a version's description, from a fitted estimator and the data it was fitted on.

No single row can be read from it: defaults and examples are medians and the most frequent labels,
and no text is copied from the data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import is_outlier_detector

from .feature_drafts import feature_draft, shares, short, typical
from .training_data import TrainingData

LIST = "values"  # the name of a list of numbers whose columns have none
_OF_OUTLIERS = ("score_samples", "decision_function")


@dataclass(frozen=True)
class Described:
    """The owner's part of the description; the rest is drafted."""

    lookup: Mapping[str, Any] | None = None
    flags: Any = None
    metadata: Mapping[str, Any] | None = None
    target: str = ""  # the column that is predicted


class Draft(NamedTuple):
    """The version's files other than the estimator."""

    lookup: Mapping[str, Any]
    flags: Any
    metadata: dict[str, Any]


def asked_method(estimator: Any, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """``metadata`` with ``outputs_from``, where the usual method is not the most useful one.

    An outlier detector can score how odd a case is, not only whether it is; a transformer
    transforms.
    """
    has = [name for name in (*_OF_OUTLIERS, "predict", "transform") if hasattr(estimator, name)]
    if is_outlier_detector(estimator) and has[0] in _OF_OUTLIERS:
        return {"outputs_from": has[0], **metadata}
    only = "transform" in has and "predict" not in has
    return {**({"outputs_from": "transform"} if only else {}), **metadata}


def draft(  # noqa: PLR0913 - a draft needs all of these
    estimator: Any, data: TrainingData, rows: pd.DataFrame, width: int,
    metadata: Mapping[str, Any], described: Described,
) -> Draft:  # fmt: skip
    """``rows`` is a sample of the data; the estimator answers each row with ``width`` numbers.

    ``described`` overrides the draft. Raises ArtifactError for a column that fits no kind of
    feature.
    """
    lookup, features, said = (
        _of_list(data) if data.as_list else _of_columns(data, rows, described.lookup or {})
    )
    flags = _flags(estimator, str(metadata.get("outputs_from", "")), width, described.target)
    own = metadata.get("features", {})
    made = {
        "data": {"rows": len(data.table)},
        **said,
        **metadata,
        "features": own | {n: {**found, **own.get(n, {})} for n, found in features.items()},
    }
    if described.lookup is not None:
        lookup = dict(described.lookup)
    if described.flags is None:
        return Draft(lookup, [_apart(flag, lookup) for flag in flags], made)
    return Draft(lookup, described.flags, made)


# (lookup, features of metadata.json, its other keys)
_Parts = tuple[dict[str, Any], dict[str, dict[str, Any]], dict[str, Any]]


def _of_list(data: TrainingData) -> _Parts:
    """One feature, a list of numbers."""
    middle = {"default": [short(value) for value in data.table.median()]}
    return {LIST: [0.0] * len(data.table.columns)}, {LIST: middle}, {}


def _of_columns(data: TrainingData, rows: pd.DataFrame, given: Mapping[str, Any]) -> _Parts:
    """A feature for each column, with examples and a baseline."""
    columns = {str(name): data.table[name] for name in data.table}
    drafted = {
        name: feature_draft(name, column, data.found.get(name, {}), given.get(name))
        for name, column in columns.items()
    }
    lookup = {name: value for name, (value, _) in drafted.items()}
    features = {
        name: said | ({"missing": True} if rows[name].isna().any() else {})
        for name, (_, said) in drafted.items()
    }
    cases = _examples(columns, lookup, features)
    said = {"baseline": _baseline(columns, lookup)}
    return lookup, features, said | ({"examples": cases} if cases else {})


def _flags(estimator: Any, method: str, width: int, target: str) -> list[str]:
    """A name for each output of the estimator."""
    if method == "return_std":
        return ["mean", "standard deviation"]
    names: list[str] = []
    if method in ("", "predict_proba", "predict"):
        names = _class_names(getattr(estimator, "classes_", None))
    elif method == "transform" and hasattr(estimator, "get_feature_names_out"):
        names = list(map(str, estimator.get_feature_names_out()))
    if len(set(names)) == len(names) == width:
        return names
    base = target or ("score" if method in _OF_OUTLIERS else "value")
    return [base] if width == 1 else [f"{base} {place}" for place in range(1, width + 1)]


def _class_names(classes: Any) -> list[str]:
    """The names of a classifier's classes; of several outputs, each with the output's number."""
    if classes is None:
        return []
    several = classes if isinstance(classes, list) else [classes]
    groups = [[str(name) for name in np.asarray(group).tolist()] for group in several]
    if len(groups) == 1:
        return [name if name.strip() else "(empty)" for name in groups[0]]
    return [f"output {place}: {name}" for place, group in enumerate(groups, 1) for name in group]


def _apart(flag: str, lookup: Mapping[str, Any]) -> str:
    return _apart(f"{flag} (output)", lookup) if flag in lookup else flag


def _examples(
    columns: Mapping[str, pd.Series], lookup: Mapping[str, Any], features: Mapping[str, Any]
) -> dict[str, Any]:
    """Cases in the middle of the data, and at a quarter and three quarters of it."""
    if any(value == "" and isinstance(value, str) for value in lookup.values()):
        return {}
    return {
        name: {
            key: typical(column.dropna(), share, lookup[key], features[key])
            for key, column in columns.items()
        }
        for name, share in (("typical", 0.5), ("low", 0.25), ("high", 0.75))
    }


def _baseline(columns: Mapping[str, pd.Series], lookup: Mapping[str, Any]) -> dict[str, Any]:
    """The share of each label, and of each number where there are few, for drift."""
    found = {name: dict(shares(column, lookup[name])) for name, column in columns.items()}
    return {name: counted for name, counted in found.items() if counted}
