"""The walk through an estimator, from its columns on, that finds what each of them must be."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.kinds import CHOICE, NUMBER, NUMBERS, TEXT, WHOLE
from predictor.artifacts.lookup import MAX_LABELS
from predictor.artifacts.untrusted import is_clean

from .findings import Column, Discovery, is_nothing
from .labels import as_texts, spelt
from .learnt import Learnt
from .pandas_categories import pandas_categories
from .steps import IMPUTERS, after, inside, joined
from .trees import went_astray

_VECTORISERS = frozenset({"CountVectorizer", "HashingVectorizer"})  # Tfidf… is one of them
_OF_RECORDS = frozenset({"DictVectorizer", "FeatureHasher"})
_BOOSTERS = frozenset({
    "BaseHistGradientBoosting", "LGBMModel", "XGBModel", "CatBoost",
})  # fmt: skip
_LENIENT = ("ignore", "infrequent_if_exist", "warn", "use_encoded_value")  # of unknown categories
_BOUNDING = {"minimum", "maximum", "integer", "type", "labels"}  # keys that say what a value may be


class Walk:
    """From step to step, with the columns that each of them gets; ``found`` grows on the way."""

    def __init__(self, contract: Contract) -> None:
        self.features = contract.features
        self.found = Discovery()
        self.learnt = Learnt(self.features, self.found)
        self._seen: set[int] = set()

    def follow(
        self, step: Any, columns: list[Column] | None, *, alone: bool = False
    ) -> list[Column] | None:
        """The columns that ``step`` makes of ``columns``; None where that cannot be said.

        ``alone`` says that the step gets a list of values, or a table of one column.
        """
        if columns is None or (isinstance(step, str) and step == "passthrough") or step is None:
            return columns
        if isinstance(step, str) or id(step) in self._seen:
            return []
        self._seen.add(id(step))
        names = {cls.__name__ for cls in type(step).__mro__}
        if "Pipeline" in names:
            for _, inner in step.steps:
                columns = self.follow(inner, columns, alone=alone)
            return columns
        if "FeatureUnion" in names:
            made = [self.follow(inner, columns, alone=alone) for _, inner in step.transformer_list]
            return joined(made)
        if "ColumnTransformer" in names:
            return self._columns(step, columns)
        self._leaf(step, columns, names, alone=alone)
        for inner in inside(step):
            self.follow(inner, columns, alone=alone)
        return after(step, columns, names)

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
        if names & IMPUTERS and _fills_nan(step):
            self._may_miss(columns)
            if step.missing_values is None:
                for column in columns:
                    self.found.note(self.features[column.feature].name, missing_as="none")
        self._boosters(step, columns, names)
        self.learnt.values(step, columns)

    # --- categories ---

    def _categories(self, column: Column, known: Any, *, lenient: bool) -> None:
        if not column.raw:
            return
        feature = self.features[column.feature]
        cells = np.asarray(known, dtype=object).tolist()
        texts = [str(cell) for cell in cells if isinstance(cell, str)]
        if any(is_nothing(cell) for cell in cells):
            self.found.maybe_missing.add(feature.name)
            if None in cells and not any(isinstance(c, float) for c in cells):
                self.found.note(feature.name, missing_as="none")
        if texts:
            self._texts(feature, texts, lenient=lenient)
        else:
            self.learnt.add(column, [cell for cell in cells if not is_nothing(cell)])
            self.learnt.branch(column, cells)

    def _texts(self, feature: Feature, texts: Sequence[str], *, lenient: bool = False) -> None:
        """The column was fitted on ``texts``, so it gets labels."""
        name = feature.name
        if feature.is_choice:
            labels = as_texts(feature.labels or {}, texts)
            if labels != feature.labels:
                self.found.note(name, labels=labels)
            if texts and not set(labels.values()) & set(texts):
                self.found.notes.append(
                    f"none of the labels of {name!r} is among the categories the model was fitted "
                    f"on: {sorted(texts)[:5]}"
                )
            if lenient and feature.fallback is None and "open" not in feature.said:
                self.found.note(name, open=True)
        elif feature.kind is NUMBER and not feature.said & _BOUNDING:
            usable = {text: text for text in texts if text.strip() and is_clean(text)}
            if usable and len(usable) <= MAX_LABELS:
                self.found.note(name, type=CHOICE.name, labels=usable)
                if lenient:
                    self.found.note(name, open=True)
        elif feature.kind is TEXT:
            self.learnt.texts(name, texts)

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
        """It takes a dictionary for each row, with labels as texts, and ignores unknown ones."""
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
        """Trees that take NaN: where they show that they saw some, or nothing else is known."""
        if names & _BOOSTERS:
            self._may_miss([c for c in columns if self._undeclared(c)])
            self._category_columns(step, columns)
        for place in went_astray(step):
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
