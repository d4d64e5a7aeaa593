"""A draft of what describes a version, from a fitted estimator and the data it was fitted on.

Nothing of a single row goes into it: defaults and examples are made of medians and of the commonest
labels, and a text is never one of the data's.
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
    """What the owner says of the version; the rest is drafted."""

    lookup: Mapping[str, Any] | None = None
    flags: Any = None
    metadata: Mapping[str, Any] | None = None
    target: str = ""  # the column that is predicted


class Draft(NamedTuple):
    """What goes into the version beside the estimator."""

    lookup: Mapping[str, Any]
    flags: Any
    metadata: dict[str, Any]


def asked_method(estimator: Any, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """``metadata``, with the method that is worth asking where that is not the usual one.

    A detector of outliers says how odd a case is, not only whether it is; a transformer transforms.
    """
    has = [name for name in (*_OF_OUTLIERS, "predict", "transform") if hasattr(estimator, name)]
    if is_outlier_detector(estimator) and has[0] in _OF_OUTLIERS:
        return {"outputs_from": has[0], **metadata}
    only = "transform" in has and "predict" not in has
    return {**({"outputs_from": "transform"} if only else {}), **metadata}


def draft(  # noqa: PLR0913 - a draft follows from all of these
    estimator: Any, data: TrainingData, rows: pd.DataFrame, width: int,
    metadata: Mapping[str, Any], described: Described,
) -> Draft:  # fmt: skip
    """``rows`` are some of the data, which the estimator answers with ``width`` numbers each.

    What ``described`` says wins. Raises ArtifactError for a column that no kind of feature fits.
    """
    given = described.lookup or {}
    if data.as_list:
        lookup: dict[str, Any] = {LIST: [0.0] * len(data.table.columns)}
        features = {LIST: {"default": [short(v) for v in data.table.median()]}}
        cases: dict[str, Any] = {}
    else:
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
    flags = _flags(estimator, str(metadata.get("outputs_from", "")), width, described.target)
    own = metadata.get("features", {})
    made = {
        "data": {"rows": len(data.table)},
        **({} if data.as_list else {"baseline": _baseline(columns, lookup)}),
        **({"examples": cases} if cases else {}),
        **metadata,
        "features": own | {n: {**found, **own.get(n, {})} for n, found in features.items()},
    }
    if described.lookup is not None:
        lookup = dict(described.lookup)
    if described.flags is None:
        return Draft(lookup, [_apart(flag, lookup) for flag in flags], made)
    return Draft(lookup, described.flags, made)


def _flags(estimator: Any, method: str, width: int, target: str) -> list[str]:
    """A name for each output of the estimator."""
    classes = getattr(estimator, "classes_", None)
    if classes is not None and method in ("", "predict_proba", "predict"):
        several = classes if isinstance(classes, list) else [classes]
        names = [str(name) for group in several for name in np.asarray(group).tolist()]
        if len(several) > 1:
            names = [f"output {place}: {name}" for place, group in enumerate(several, 1)
                     for name in np.asarray(group).tolist()]  # fmt: skip
        if len(names) == width and len(set(names)) == width:
            return [name if name.strip() else "(empty)" for name in names]
    if method == "return_std":
        return ["mean", "standard deviation"]
    if method == "transform" and hasattr(estimator, "get_feature_names_out"):
        names = [str(name) for name in estimator.get_feature_names_out()]
        if len(names) == width:
            return names
    base = target or ("score" if method in _OF_OUTLIERS else "value")
    return [base] if width == 1 else [f"{base} {place}" for place in range(1, width + 1)]


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
    """The share of each label and of each of few numbers, for drift."""
    found = {name: dict(shares(column, lookup[name])) for name, column in columns.items()}
    return {name: counted for name, counted in found.items() if counted}
