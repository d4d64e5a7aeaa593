"""The walk through an estimator from its input columns, which finds what each column must be."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.kinds import BOOLEAN, CHOICE, NUMBER, NUMBERS, TEXT, WHOLE
from predictor.artifacts.kinds.words import truths_among
from predictor.artifacts.lookup_values import MAX_LABELS
from predictor.artifacts.untrusted import is_label

from .findings import Column, Discovery, is_nothing
from .labels import as_numbers, as_texts, spelt
from .learnt import Learnt
from .pandas_categories import pandas_categories
from .steps import IMPUTERS, after, inside, joined, kinds_of
from .trees import columns_with_missing

_VECTORISERS = frozenset({"CountVectorizer", "HashingVectorizer"})  # Tfidf… is a subclass
_OF_RECORDS = frozenset({"DictVectorizer", "FeatureHasher"})
_BOOSTERS = frozenset({
    "BaseHistGradientBoosting", "LGBMModel", "XGBModel", "CatBoost",
})  # fmt: skip
_LENIENT = ("ignore", "infrequent_if_exist", "warn", "use_encoded_value")  # of unknown categories
_BOUNDING = {"minimum", "maximum", "integer", "type", "labels"}  # keys that say what a value may be


class Walk:
    """From step to step, with the columns that each of them gets; ``found`` grows on the way."""

    def __init__(self, contract: Contract, *, framed: bool) -> None:
        """``framed``: whether the estimator was fitted on a data frame."""
        self._framed = framed
        self.features = contract.features
        self.found = Discovery()
        self.learnt = Learnt(self.features, self.found)
        self._seen: set[int] = set()

    def follow(
        self, step: Any, columns: list[Column] | None, *, alone: bool = False
    ) -> list[Column] | None:
        """The columns that ``step`` makes from ``columns``; None where that is unknown.

        ``alone``: the step gets a list of values, or a table of one column.
        """
        if columns is None or step is None:
            return columns
        if isinstance(step, str) or id(step) in self._seen:
            return columns if step == "passthrough" else []
        self._seen.add(id(step))
        names = kinds_of(step)
        if "Pipeline" in names:
            return self._pipeline(step, columns, alone=alone)
        if "FeatureUnion" in names:
            return self._union(step, columns, alone=alone)
        if "ColumnTransformer" in names:
            return self._columns(step, columns)
        self._leaf(step, columns, names, alone=alone)
        for inner in inside(step):
            self.follow(inner, columns, alone=alone)
        return after(step, columns, names)

    def _pipeline(
        self, pipeline: Any, columns: list[Column] | None, *, alone: bool
    ) -> list[Column] | None:
        for _, inner in pipeline.steps:
            columns = self.follow(inner, columns, alone=alone)
        return columns

    def _union(self, union: Any, columns: list[Column], *, alone: bool) -> list[Column] | None:
        parts = union.transformer_list
        return joined([self.follow(inner, columns, alone=alone) for _, inner in parts])

    def _columns(self, step: Any, columns: list[Column]) -> list[Column] | None:
        made = []
        check_is_fitted(step)
        for name, inner, _ in step.transformers_:
            places = step._transformer_to_input_indices.get(name, [])  # noqa: SLF001
            part = [columns[place] for place in places if place < len(columns)]
            made.append(self.follow(inner, part))
        return joined(made)

    def _leaf(self, step: Any, columns: list[Column], names: set[str], *, alone: bool) -> None:
        categories = vars(step).get("categories_")
        if isinstance(categories, list) and len(categories) == len(columns):
            lenient = getattr(step, "handle_unknown", "") in _LENIENT or "TargetEncoder" in names
            for column, known in zip(columns, categories, strict=True):
                self._categories(column, known, lenient=lenient)
        if names & _VECTORISERS and columns:
            self._vectoriser(columns, alone=alone)
        if names & _OF_RECORDS:
            self._records(step, columns)
        if names & IMPUTERS:
            self._imputer(step, columns)
        self._boosters(step, columns, names)
        self.learnt.values(step, columns)

    def _imputer(self, step: Any, columns: Sequence[Column]) -> None:
        for column in columns:
            feature = self.features[column.feature]
            if self._framed and feature.kind is BOOLEAN:  # imputers refuse a column of bool
                self.found.note(feature.name, column="object")
        if not _fills_nan(step):
            return
        self._may_miss(columns)
        if step.missing_values is None:
            for column in columns:
                self.found.note(self.features[column.feature].name, missing_as="none")

    # --- categories ---

    def _categories(self, column: Column, known: Any, *, lenient: bool) -> None:
        if not column.raw:
            return
        feature = self.features[column.feature]
        cells = np.asarray(known, dtype=object).tolist()
        texts = [str(cell) for cell in cells if isinstance(cell, str)]
        present = [cell for cell in cells if not is_nothing(cell)]
        if len(present) < len(cells):
            self._missing(feature, cells)
        if texts:
            self._texts(feature, texts, lenient=lenient)
        else:
            self._numbers(feature, present)
            self.learnt.add(column, present)
            self.learnt.branch(column, cells)

    def _missing(self, feature: Feature, cells: Sequence[Any]) -> None:
        """The categories include a missing value."""
        self.found.maybe_missing.add(feature.name)
        if None in cells and not any(isinstance(cell, float) for cell in cells):
            self.found.note(feature.name, missing_as="none")

    def _numbers(self, feature: Feature, known: Sequence[Any]) -> None:
        """The column was fitted on the numbers ``known``, so it gets no texts."""
        if feature.is_choice:
            if numbers := as_numbers(feature.labels or {}, known):
                self.found.note(feature.name, labels=numbers)
        elif (
            feature.kind is TEXT
            and not feature.said & {*_BOUNDING, "max_length"}
            and known
            and all(isinstance(number, int | float) for number in known)
        ):
            self.found.note(feature.name, type=NUMBER.name)

    def _texts(self, feature: Feature, texts: Sequence[str], *, lenient: bool = False) -> None:
        """The column was fitted on ``texts``, so it gets labels."""
        if feature.is_choice:
            self._labels(feature, texts, lenient=lenient)
        elif feature.kind is NUMBER and not feature.said & _BOUNDING:
            usable = {text: text for text in texts if is_label(text)}
            if 0 < len(usable) <= MAX_LABELS:
                more = {"open": True} if lenient else {}
                self.found.note(feature.name, type=CHOICE.name, labels=usable, **more)
        elif feature.kind is BOOLEAN:
            if truths := truths_among(texts):
                self.found.note(feature.name, truths=truths)
        elif feature.kind is TEXT:
            self.learnt.texts(feature.name, texts)

    def _labels(self, feature: Feature, texts: Sequence[str], *, lenient: bool) -> None:
        """The labels of a choice whose column was fitted on ``texts``."""
        labels = as_texts(feature.labels or {}, texts)
        if set(labels.values()) & set(texts):
            self.found.spelt.add(feature.name)
        if labels != feature.labels:
            self.found.note(feature.name, labels=labels)
        if texts and not set(labels.values()) & set(texts):
            self.found.notes.append(
                f"none of the labels of {feature.name!r} is among the categories the model was "
                f"fitted on: {sorted(texts)[:5]}"
            )
        if lenient and feature.fallback is None and "open" not in feature.said:
            self.found.note(feature.name, open=True)

    def _vectoriser(self, columns: Sequence[Column], *, alone: bool) -> None:
        for column in columns:
            feature = self.features[column.feature]
            if feature.is_choice:
                labels = feature.labels or {}
                self.found.note(feature.name, labels=as_texts(labels, list(labels)))
            elif feature.kind is NUMBER and not feature.said & _BOUNDING:
                self.found.note(feature.name, type=TEXT.name)
        if alone and len(self.features) == 1:
            self.found.note("", one_dimensional=True)

    def _records(self, step: Any, columns: Sequence[Column]) -> None:
        """The step takes a dictionary for each row, labels as texts, and ignores unknown ones."""
        if len(columns) != len(self.features) or getattr(step, "input_type", "dict") != "dict":
            return
        learnt = [str(name) for name in getattr(step, "feature_names_", [])]
        for column in columns:
            feature = self.features[column.feature]
            start = f"{feature.name}{getattr(step, 'separator', '=')}"
            texts = [name.removeprefix(start) for name in learnt if name.startswith(start)]
            if texts or feature.is_choice:
                self._texts(feature, texts, lenient=True)
        self.found.note("", records=True)

    # --- missing values ---

    def _may_miss(self, columns: Sequence[Column]) -> None:
        for column in columns:
            feature = self.features[column.feature]
            if "missing" not in feature.said and feature.kind not in (NUMBERS, TEXT):
                self.found.maybe_missing.add(feature.name)

    def _boosters(self, step: Any, columns: list[Column], names: set[str]) -> None:
        """Trees that accept NaN: those that saw some in training, or where that is unknown."""
        if names & _BOOSTERS:
            self._may_miss([c for c in columns if self._undeclared(c)])
            self._category_columns(step, columns)
        for place in columns_with_missing(step):
            if place < len(columns):
                self._may_miss([columns[place]])

    def _undeclared(self, column: Column) -> bool:
        feature = self.features[column.feature]
        return feature.kind is NUMBER and not feature.said & _BOUNDING

    def _category_columns(self, step: Any, columns: list[Column]) -> None:
        """Columns that were of pandas' type "category", with the categories of the fit."""
        for place, categories in pandas_categories(step, self.features, columns):
            feature = self.features[columns[place].feature]
            texts = [category for category in categories if isinstance(category, str)]
            if texts:
                self._texts(feature, texts)
            known = [category for category in categories if not is_nothing(category)]
            if len(known) < len(categories):
                self.found.maybe_missing.add(feature.name)
            self.learnt.add(columns[place], known)
            self.learnt.branch(columns[place], known)
            self.found.note(feature.name, column="category", categories=known)
        for place in getattr(step, "get_cat_feature_indices", list)()[: len(columns)]:
            self._of_catboost(self.features[columns[place].feature])

    def _of_catboost(self, feature: Feature) -> None:
        """CatBoost takes texts and whole numbers, and keeps no category: 1 is to it as "1" is."""
        if feature.kind is NUMBER and not feature.said & _BOUNDING:
            self.found.note(feature.name, type=WHOLE.name)
        self._texts(feature, [])
        labels = feature.labels or {}
        if not any(isinstance(cell, str) for cell in labels.values()):
            self.found.coded[feature.name] = {label: spelt(cell) for label, cell in labels.items()}


def _fills_nan(imputer: Any) -> bool:
    missing = getattr(imputer, "missing_values", np.nan)
    return is_nothing(missing)
