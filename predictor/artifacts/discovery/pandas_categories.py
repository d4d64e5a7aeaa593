"""The categories that boosters keep of the pandas columns they were fitted on."""

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from predictor.artifacts.contract import Feature

from .findings import Column


def pandas_categories(
    step: Any, features: Sequence[Feature], columns: Sequence[Column]
) -> Iterator[tuple[int, Sequence[Any]]]:
    """(column, categories) of a booster that was fitted on pandas categories."""
    if getattr(step, "categorical_features", None) == "from_dtype":
        preprocessor = vars(step).get("_preprocessor")
        for name, encoder, mask in getattr(preprocessor, "transformers_", []):
            if name == "encoder":
                known = [np.asarray(c, dtype=object).tolist() for c in encoder.categories_]
                for place, categories in zip(np.flatnonzero(mask).tolist(), known, strict=True):
                    yield place, categories
    booster = vars(step).get("_Booster")
    if learnt := getattr(booster, "pandas_categorical", None):
        yield from _in_step(learnt, features, columns)
    if "c" in (getattr(booster, "feature_types", None) or []):
        for place, kept in _categories_of_xgboost(booster):
            labels = features[columns[place].feature].labels or {}
            # XGBoost 3.2 counts the letters of its texts where it means bytes, so those beyond
            # ASCII come out garbled; pandas puts categories in the order of the alphabet
            whole = set(kept) <= set(labels)
            yield place, kept if whole or len(kept) != len(labels) else sorted(labels)


def _categories_of_xgboost(booster: Any) -> Iterator[tuple[int, list[str]]]:
    """What XGBoost 3.1 keeps in its own JSON: texts end to end, and where each begins."""
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    kept = model.get("model", model.get("gbtree", {}).get("model", {})).get("cats", {})
    for place, encoded in enumerate(kept.get("enc", [])):
        offsets, values = encoded["offsets"], encoded["values"]
        if offsets and all(isinstance(value, int) for value in values):
            packed = bytes(value % 256 for value in values)
            pairs = itertools.pairwise(offsets)
            yield place, [packed[start:end].decode(errors="replace") for start, end in pairs]


def _in_step(
    learnt: Sequence[Sequence[Any]], features: Sequence[Feature], columns: Sequence[Column]
) -> Iterator[tuple[int, Sequence[Any]]]:
    """LightGBM keeps the categories in the order of its columns, but not which columns."""
    waiting = list(learnt)
    for place, column in enumerate(columns):
        feature = features[column.feature]
        if waiting and feature.is_choice:
            known = set(waiting[0])
            if known & {*(feature.labels or {}), *(feature.labels or {}).values()}:
                yield place, waiting.pop(0)
