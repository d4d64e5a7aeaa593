"""What a fitted estimator shows of its inputs that neither lookup nor metadata says.

The estimator is walked from its columns on: an encoder that learnt texts wants labels, not codes;
an imputer says that values may be missing; a vectoriser wants one list of texts. All that is found
is an assumption: examination.py tries it before it goes into the verdict.
"""

import itertools
import json
import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .contract import Contract, Feature
from .flags import fold
from .inputs import Row
from .kinds import CHOICE, NUMBER, NUMBERS, TEXT
from .kinds.feature import Cell
from .lookup import MAX_LABELS
from .untrusted import is_clean

_MOST_VALUES = 24  # of one feature that are tried
_MOST_BRANCHES = 2_000  # values of one feature at which the estimator may take another way
_MOST_ROWS = 40
_IMPUTERS = frozenset({"SimpleImputer", "KNNImputer", "IterativeImputer"})
_VECTORISERS = frozenset({"CountVectorizer", "HashingVectorizer"})  # Tfidf… is one of them
_BOOSTERS = frozenset({
    "BaseHistGradientBoosting", "LGBMModel", "XGBModel", "CatBoost",
})  # fmt: skip
_LENIENT = ("ignore", "infrequent_if_exist", "warn", "use_encoded_value")  # of unknown categories
_INNER = (
    "best_estimator_", "estimator_", "regressor_", "classifier_", "final_estimator_", "estimators_",
    "calibrated_classifiers_", "estimator",
)  # fmt: skip
_BOUNDING = {"minimum", "maximum", "integer", "type", "labels"}  # keys that say what a value may be


class Column(NamedTuple):
    """A column on its way through the estimator: whose it is, and whether it is as it came."""

    feature: int
    raw: bool = True


@dataclass
class Discovery:
    """``kinds`` by feature go into the verdict; ``maybe_missing`` is to be tried first.

    ``values`` are likely ones; ``branches`` every category and threshold, spread out where there
    are too many.
    """

    kinds: dict[str, dict[str, Any]] = field(default_factory=dict)
    maybe_missing: set[str] = field(default_factory=set)
    values: dict[str, list[Cell]] = field(default_factory=dict)
    branches: dict[str, list[Cell]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def tried(self) -> dict[str, list[Cell]]:
        """By feature, all that an examination asks the estimator."""
        return {name: [*self.values.get(name, ()), *self.branches.get(name, ())]
                for name in self.values.keys() | self.branches.keys()}  # fmt: skip

    def note(self, feature: str, **found: Any) -> None:
        """Add what was found of a feature; the first finding of a kind wins."""
        known = self.kinds.setdefault(feature, {})
        for key, value in found.items():
            known.setdefault(key, value)


def discover(contract: Contract, estimator: Any) -> Discovery:
    """What ``estimator`` shows of the features of ``contract``."""
    walk = _Walk(contract)
    columns = [
        Column(place)
        for place, feature in enumerate(contract.features)
        for _ in range(feature.size)
    ]
    walk.follow(estimator, columns, alone=len(columns) == 1)
    walk.found.branches = {name: list(_spread(cells)) for name, cells in walk.branches.items()}
    return walk.found


class _Walk:
    def __init__(self, contract: Contract) -> None:
        self.features = contract.features
        self.found = Discovery()
        self.branches: dict[str, list[Any]] = {}
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
            return _joined(made)
        if "ColumnTransformer" in names:
            return self._columns(step, columns)
        self._leaf(step, columns, names, alone=alone)
        for inner in _inside(step):
            self.follow(inner, columns, alone=alone)
        return _after(step, columns, names)

    def _columns(self, step: Any, columns: list[Column]) -> list[Column] | None:
        made = []
        for name, inner, _ in step.transformers_:
            places = step._transformer_to_input_indices.get(name, [])  # noqa: SLF001
            part = [columns[place] for place in places if place < len(columns)]
            made.append(self.follow(inner, part))
        return _joined(made)

    def _leaf(self, step: Any, columns: list[Column], names: set[str], *, alone: bool) -> None:
        categories = vars(step).get("categories_")
        if isinstance(categories, list) and len(categories) == len(columns):
            lenient = getattr(step, "handle_unknown", "") in _LENIENT or "TargetEncoder" in names
            for column, known in zip(columns, categories, strict=True):
                self._categories(column, known, lenient=lenient)
        if names & _VECTORISERS and columns:
            self._vectoriser(columns, alone=alone)
        if names & _IMPUTERS and _fills_nan(step):
            self._may_miss(columns)
        self._boosters(step, columns, names)
        self._values(step, columns)

    # --- categories ---

    def _categories(self, column: Column, known: Any, *, lenient: bool) -> None:
        if not column.raw:
            return
        feature = self.features[column.feature]
        cells = np.asarray(known, dtype=object).tolist()
        texts = [str(cell) for cell in cells if isinstance(cell, str)]
        if any(_is_nothing(cell) for cell in cells):
            self.found.maybe_missing.add(feature.name)
            if None in cells and not any(isinstance(c, float) for c in cells):
                self.found.note(feature.name, missing_as="none")
        if texts:
            self._texts(feature, texts, lenient=lenient)
        else:
            self._try(column, [cell for cell in cells if not _is_nothing(cell)])
            self._branch(column, cells)

    def _texts(self, feature: Feature, texts: Sequence[str], *, lenient: bool = False) -> None:
        """The column was fitted on ``texts``, so it gets labels."""
        name = feature.name
        if feature.is_choice:
            labels = _as_texts(feature.labels or {}, texts)
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
            self.found.values.setdefault(name, []).extend(texts[:_MOST_VALUES])
            self.branches.setdefault(name, []).extend(texts)

    def _vectoriser(self, columns: Sequence[Column], *, alone: bool) -> None:
        for column in columns:
            feature = self.features[column.feature]
            if feature.is_choice:
                labels = feature.labels or {}
                self.found.note(feature.name, labels=_as_texts(labels, list(labels)))
            elif feature.kind is NUMBER and not feature.said & _BOUNDING:
                self.found.note(feature.name, type=TEXT.name)
        if alone and len(self.features) == 1:
            self.found.note("", one_dimensional=True)

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
        for place in _went_astray(step):
            if place < len(columns):
                self._may_miss([columns[place]])

    def _undeclared(self, column: Column) -> bool:
        feature = self.features[column.feature]
        return feature.kind is NUMBER and not feature.said & _BOUNDING

    def _category_columns(self, step: Any, columns: list[Column]) -> None:
        """Columns that were of pandas' type "category", with the categories of the fit."""
        for place, categories in _pandas_categories(step, self.features, columns):
            feature = self.features[columns[place].feature]
            texts = [category for category in categories if isinstance(category, str)]
            if texts:
                self._texts(feature, texts)
            known = [category for category in categories if not _is_nothing(category)]
            if len(known) < len(categories):
                self.found.maybe_missing.add(feature.name)
            self.found.note(feature.name, column="category", categories=known)
        for place in getattr(step, "get_cat_feature_indices", list)()[: len(columns)]:
            # CatBoost takes texts
            self._texts(self.features[columns[place].feature], [])

    # --- values ---

    def _values(self, step: Any, columns: list[Column]) -> None:
        own = vars(step)
        for key in ("mean_", "center_", "statistics_", "data_min_", "data_max_", "var_"):
            learnt = own.get(key)
            if key != "var_" and learnt is not None and np.shape(learnt) == (len(columns),):
                for column, value in zip(columns, np.asarray(learnt).tolist(), strict=True):
                    self._try(column, [value])
        for place, thresholds in _thresholds(step, len(columns)):
            few = thresholds[:: max(1, len(thresholds) // 5)][:6]
            self._try(columns[place], [v for t in few for v in _beside(float(t))])
            self._branch(columns[place], thresholds)
        fitted = own.get("_fit_X")
        if fitted is not None and all(column.raw for column in columns):
            self._rows(fitted, columns)

    def _try(self, column: Column, values: Sequence[Any]) -> None:
        if column.raw:
            known = self.found.values.setdefault(self.features[column.feature].name, [])
            known.extend(
                value for value in values[: _MOST_VALUES - len(known)]
                if isinstance(value, int | float | str) and not _is_nothing(value)
            )  # fmt: skip

    def _branch(self, column: Column, cells: Sequence[Any]) -> None:
        if column.raw:
            known = self.branches.setdefault(self.features[column.feature].name, [])
            known.extend(cell for cell in cells if isinstance(cell, int | float))

    def _rows(self, fitted: Any, columns: Sequence[Column]) -> None:
        """Rows that a neighbour model keeps, as cells."""
        plain = [c.feature for c in columns] == list(range(len(self.features)))
        if not plain or np.shape(fitted)[1:] != (len(columns),) or hasattr(fitted, "tocsr"):
            return
        rows = np.asarray(fitted)
        for row in rows[:: max(1, len(rows) // _MOST_ROWS)][:_MOST_ROWS].tolist():
            cells = [_cell_of(f, value) for f, value in zip(self.features, row, strict=True)]
            if not any(cell is _ABSENT for cell in cells):
                self.found.rows.append(tuple(cells))


_ABSENT: Any = object()


def _cell_of(feature: Feature, value: Any) -> Any:
    """The cell that a fitted value is, if the contract allows it."""
    if feature.is_choice:
        return next((cell for cell in (feature.labels or {}).values() if cell == value), _ABSENT)
    low, high = feature.minimum, feature.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return _ABSENT
    return value if feature.dtype == "float64" else _ABSENT


def _as_texts(labels: Mapping[str, Cell], texts: Sequence[str]) -> dict[str, Cell]:
    """Each label with the text that the estimator was fitted on for it."""
    exact = set(texts)
    normal = {unicodedata.normalize("NFC", text): text for text in texts}
    folded = {fold(text): text for text in texts}
    if len(folded) < len(exact):
        folded = {}  # two differ in case only, so case matters
    found: dict[str, Cell] = {}
    for label, cell in labels.items():
        if isinstance(cell, str) and cell in exact:
            found[label] = cell
            continue
        other = normal.get(unicodedata.normalize("NFC", label), folded.get(fold(label), label))
        found[label] = label if label in exact else other
    return found


def _is_nothing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _fills_nan(imputer: Any) -> bool:
    missing = getattr(imputer, "missing_values", np.nan)
    return _is_nothing(missing)


def _joined(parts: Sequence[list[Column] | None]) -> list[Column] | None:
    if any(part is None for part in parts):
        return None
    return [column for part in parts if part for column in part]


def _inside(step: Any) -> Iterator[Any]:
    """Fitted estimators that get the very columns their holder gets."""
    for key in _INNER:
        inner = vars(step).get(key) if hasattr(step, "__dict__") else None
        members = inner if isinstance(inner, list) else [] if inner is None else [inner]
        for member in members:
            if hasattr(member, "__dict__") and not isinstance(member, type):
                yield member


def _after(step: Any, columns: list[Column], names: set[str]) -> list[Column] | None:
    """What a transformer leaves of its columns, as far as each is still one."""
    if names & _IMPUTERS:
        statistics = vars(step).get("statistics_")
        kept = list(columns)
        if statistics is not None and len(statistics) == len(columns):
            kept = [c for c, value in zip(columns, statistics, strict=True)
                    if not _is_nothing(value)]  # fmt: skip
        extra = getattr(vars(step).get("indicator_"), "features_", [])
        return kept + [Column(columns[place].feature, raw=False) for place in extra]
    if "SelectorMixin" in names:
        return [c for c, kept in zip(columns, step.get_support(), strict=True) if kept]
    if "FunctionTransformer" in names:
        plain = step.func is None
        return columns if plain else [Column(c.feature, raw=False) for c in columns]
    same = "OneToOneFeatureMixin" in names
    return [Column(c.feature, raw=False) for c in columns] if same else None


def _beside(value: float) -> tuple[float, float, float]:
    return value, math.nextafter(value, math.inf), math.nextafter(value, -math.inf)


def _spread(cells: Sequence[Cell]) -> Iterator[Cell]:
    """Each of ``cells``, and what comes right after a number: the other side of a threshold."""
    known = list(dict.fromkeys(cell for cell in cells if not _is_nothing(cell)))
    for cell in known[:: 1 + 2 * len(known) // _MOST_BRANCHES]:
        yield cell
        if isinstance(cell, float):
            yield math.nextafter(cell, math.inf)


def _thresholds(step: Any, width: int) -> Iterator[tuple[int, list[float]]]:
    """(column, sorted thresholds) of a tree or of what bins its columns."""
    tree = vars(step).get("tree_")
    if tree is not None and hasattr(tree, "threshold") and hasattr(tree, "feature"):
        for place in range(width):
            yield place, sorted(tree.threshold[tree.feature == place].tolist())
    mapper = vars(step).get("_bin_mapper")
    if mapper is not None and len(mapper.bin_thresholds_) == width:
        for place, edges in enumerate(mapper.bin_thresholds_):
            yield place, [edge for edge in np.asarray(edges).tolist() if math.isfinite(edge)]


def _went_astray(step: Any) -> set[int]:
    """Columns in which some tree sends missing values where it would not without having seen any.

    scikit-learn sends them with the larger part where a column had none when it was fitted.
    """
    found: set[int] = set()
    tree = vars(step).get("tree_")
    if tree is not None and hasattr(tree, "missing_go_to_left"):
        inner = tree.children_left != -1
        left = tree.n_node_samples[tree.children_left[inner]]
        right = tree.n_node_samples[tree.children_right[inner]]
        odd = tree.missing_go_to_left[inner].astype(bool) != (left > right)
        found |= set(tree.feature[inner][odd].tolist())
    for predictor in (p for stage in vars(step).get("_predictors", []) for p in stage):
        nodes = predictor.nodes
        inner = ~nodes["is_leaf"].astype(bool)
        left, right = (nodes["count"][nodes[side][inner]] for side in ("left", "right"))
        odd = nodes["missing_go_to_left"][inner].astype(bool) != (left > right)
        found |= set(nodes["feature_idx"][inner][odd].tolist())
    return found


def _pandas_categories(
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
