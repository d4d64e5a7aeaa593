"""The categories that boosters keep of the pandas columns they were fitted on."""

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from predictor.artifacts.contract import Feature

from .findings import Column


def pandas_categories(
    step: Any, features: Sequence[Feature], columns: Sequence[Column]
) -> Iterator[tuple[int, Sequence[Any]]]:
    """(column, categories) of a booster that was fitted on pandas categories."""
    if getattr(step, "categorical_features", None) == "from_dtype":
        yield from _of_preprocessor(vars(step).get("_preprocessor"))
    booster = vars(step).get("_Booster")
    if learnt := getattr(booster, "pandas_categorical", None):
        places = sorted(booster.params.get("categorical_column") or [])
        if len(places) == len(learnt):
            yield from zip(places, learnt, strict=True)
        else:
            yield from _in_step(learnt, features, columns)
    if "c" in (getattr(booster, "feature_types", None) or []):
        for place, encoded in enumerate(_encoders_of_xgboost(booster)):
            if kept := _unpacked(encoded, features[columns[place].feature].labels or {}):
                yield place, kept


def _of_preprocessor(preprocessor: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    """The categories of scikit-learn's own booster, which encodes them before its trees."""
    for name, encoder, mask in getattr(preprocessor, "transformers_", []):
        if name == "encoder":
            known = [np.asarray(c, dtype=object).tolist() for c in encoder.categories_]
            yield from zip(np.flatnonzero(mask).tolist(), known, strict=True)


def _encoders_of_xgboost(booster: Any) -> Sequence[Mapping[str, Any]]:
    """Each column's categories in XGBoost 3.1's own JSON."""
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    kept = model.get("model", model.get("gbtree", {}).get("model", {})).get("cats", {})
    encoders: Sequence[Mapping[str, Any]] = kept.get("enc", [])
    return encoders


def _unpacked(encoded: Mapping[str, Any], labels: Collection[str]) -> Sequence[Any]:
    """Numbers, or texts split from one run of bytes; empty where they cannot be recovered.

    XGBoost 3.2 counts characters instead of bytes, so beyond ASCII the last texts are cut off. If
    the labels, sorted (as pandas does) or in the lookup's order, begin with the same bytes, these
    are the categories.
    """
    values, offsets = encoded["values"], encoded.get("offsets")
    if offsets is None:
        return list(values)
    packed = bytes(value % 256 for value in values)
    parts = [packed[start:end] for start, end in itertools.pairwise(offsets)]
    texts = [part.decode(errors="replace") for part in parts]
    if packed.isascii() or set(labels).issuperset(texts):
        return texts
    for order in (sorted(labels), list(labels)):
        same = [*map(len, order)] == [*map(len, parts)]
        if same and "".join(order).encode().startswith(packed):
            return order
    return []


def _in_step(
    learnt: Sequence[Sequence[Any]], features: Sequence[Feature], columns: Sequence[Column]
) -> Iterator[tuple[int, Sequence[Any]]]:
    """LightGBM keeps its lists of categories in column order, but not which columns they are of."""
    waiting = list(learnt)
    for place, column in enumerate(columns):
        feature = features[column.feature]
        if waiting and feature.is_choice:
            known = set(waiting[0])
            if known & {*(feature.labels or {}), *(feature.labels or {}).values()}:
                yield place, waiting.pop(0)
