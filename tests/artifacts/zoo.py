"""Every classifier and regressor of scikit-learn, and the combinations people use, fitted small."""

import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - for the next import
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct, Matern, WhiteKernel
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.metrics import f1_score, make_scorer
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, StratifiedKFold
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    RadiusNeighborsClassifier,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import all_estimators

CITIES = ["Gotham", "Metropolis", "Blüdhaven"]
GANGS = ["Joker", "Penguin", "Riddler", "Catwoman"]
LOOKUP = OrderedDict(
    city={city: code for code, city in enumerate(CITIES)},
    gang={gang: code for code, gang in enumerate(GANGS)},
    hour=0,
    wealth=0,
)
ITEMS = [
    {"city": CITIES[i % 3], "gang": GANGS[(i * 3) % 4], "hour": i % 5, "wealth": 0.25 * (i % 4)}
    for i in range(7)
]


@dataclass(frozen=True)
class Animal:
    """A fitted estimator with the other parts of a version, and its own scores of ITEMS."""

    name: str
    estimator: Any
    flags: list[str]
    scores: np.ndarray  # of shape (len(ITEMS), len(flags))
    metadata: dict[str, Any] = field(default_factory=dict)
    features: list[str] = field(default_factory=lambda: list(LOOKUP))

    @property
    def lookup(self) -> dict[str, Any]:
        return OrderedDict((name, LOOKUP[name]) for name in self.features)

    @property
    def items(self) -> list[dict[str, Any]]:
        return [{name: item[name] for name in self.features} for item in ITEMS]


@cache
def table() -> pd.DataFrame:
    """Inputs in human words: 72 rows, with every label and number of LOOKUP."""
    random = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "city": [CITIES[i % 3] for i in range(72)],
            "gang": [GANGS[(i // 3) % 4] for i in range(72)],
            "hour": random.integers(0, 5, 72).astype(float),
            "wealth": random.integers(0, 4, 72) * 0.25,
        }
    )


@cache
def codes() -> np.ndarray:
    """The same inputs, encoded by the lookup."""
    return _coded(table()).to_numpy(dtype=float)


def _coded(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(city=frame.city.map(LOOKUP["city"]), gang=frame.gang.map(LOOKUP["gang"]))


def _target() -> np.ndarray:
    return np.array(["escapes", "jailed", "unknown"])[
        (codes()[:, 0] + codes()[:, 1] + (codes()[:, 2] > 2)).astype(int) % 3
    ]


def _two() -> np.ndarray:
    return (codes()[:, 1] + codes()[:, 2] > 3).astype(int)


def _several() -> np.ndarray:
    return np.column_stack([_two(), (codes()[:, 0] > 0).astype(int)])


def _number() -> np.ndarray:
    return 1.0 + codes() @ [1.0, 0.5, 0.25, 2.0]


def _numbers() -> np.ndarray:
    return np.column_stack([_number(), codes() @ [0.5, 1.0, 1.0, 0.1]])


def _items(kind: str) -> Any:
    frame = pd.DataFrame(ITEMS)
    if kind == "text":
        return frame
    coded = _coded(frame).astype(float)
    return coded if kind == "frame" else coded.to_numpy()


def _fit(estimator: Any, target: np.ndarray, kind: str) -> Any:
    inputs = {"text": table(), "frame": _coded(table()), "array": codes()}[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(inputs, target)


def _own_scores(estimator: Any, kind: str) -> np.ndarray:
    """The estimator's own scores, computed without the code under test."""
    inputs = _items(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if hasattr(estimator, "predict_proba"):
            answer = estimator.predict_proba(inputs)
            return np.hstack(answer) if isinstance(answer, list) else np.asarray(answer)
        answer = np.asarray(estimator.predict(inputs)).reshape(len(inputs), -1)
    classes = getattr(estimator, "classes_", None)
    if classes is None or (not isinstance(classes, list) and answer.shape[1] > 1):
        return answer.astype(float)
    columns = classes if isinstance(classes, list) else [classes]
    hits = [
        [float(value == known) for column, values in zip(columns, row, strict=True)
         for value, known in ((values, c) for c in column)]
        for row in answer
    ]  # fmt: skip
    return np.array(hits)


def animal(name: str, estimator: Any, target: np.ndarray, kind: str = "array") -> Animal:
    """Fit ``estimator`` and keep its scores of ITEMS."""
    fitted = _fit(estimator, target, kind)
    scores = _own_scores(fitted, kind)
    metadata: dict[str, Any] = {}
    if kind == "text":
        metadata = {"features": {name: {"passed_as": "label"} for name in ("city", "gang")}}
    flags = [f"flag {i}" for i in range(scores.shape[1])]
    return Animal(name, fitted, flags, scores, metadata)


# --- every estimator by itself ----------------------------------------------------------------

_ONE_FEATURE = ("IsotonicRegression",)
_TREE, _LINE = DecisionTreeClassifier(max_depth=3, random_state=0), LogisticRegression()
_NEEDS: dict[str, Callable[[type], Any]] = {
    "CCA": lambda c: c(n_components=1),
    "ClassifierChain": lambda c: c(_LINE),
    "FixedThresholdClassifier": lambda c: c(_LINE),
    "GridSearchCV": lambda c: c(_TREE, {"max_depth": [1, 2]}, cv=2),
    "HalvingGridSearchCV": lambda c: c(_TREE, {"max_depth": [1, 2]}, cv=2),
    "HalvingRandomSearchCV": lambda c: c(_TREE, {"max_depth": [1, 2]}, cv=2, random_state=0),
    "MultiOutputClassifier": lambda c: c(_LINE),
    "MultiOutputRegressor": lambda c: c(Ridge()),
    "OneVsOneClassifier": lambda c: c(_LINE),
    "OneVsRestClassifier": lambda c: c(_LINE),
    "OutputCodeClassifier": lambda c: c(_LINE, random_state=0),
    "PLSCanonical": lambda c: c(n_components=1),
    "Pipeline": lambda c: c([("scale", StandardScaler()), ("line", _LINE)]),
    "RadiusNeighborsClassifier": lambda c: c(radius=50.0),
    "RadiusNeighborsRegressor": lambda c: c(radius=50.0),
    "RandomizedSearchCV": lambda c: c(_TREE, {"max_depth": [1, 2]}, n_iter=2, cv=2, random_state=0),
    "RegressorChain": lambda c: c(Ridge()),
    "SelfTrainingClassifier": lambda c: c(_LINE),
    "StackingClassifier": lambda c: c([("tree", _TREE), ("line", _LINE)], cv=2),
    "StackingRegressor": lambda c: c([("tree", DecisionTreeRegressor()), ("r", Ridge())], cv=2),
    "TunedThresholdClassifierCV": lambda c: c(_LINE, cv=2),
    "VotingClassifier": lambda c: c([("tree", _TREE), ("line", _LINE)], voting="soft"),
    "VotingRegressor": lambda c: c([("tree", DecisionTreeRegressor()), ("ridge", Ridge())]),
}
_SMALLER = {"n_estimators": 5, "max_iter": 20, "random_state": 0, "n_init": 1}
_SLOW_TO_CONVERGE = ("MLP", "Orthogonal", "SGD", "Theil", "Huber", "Quantile")
_BINARY = ("FixedThresholdClassifier", "TunedThresholdClassifierCV")
_MULTI_LABEL = ("ClassifierChain", "MultiOutputClassifier")
_MULTI_TARGET = ("MultiTask", "MultiOutputRegressor", "RegressorChain")


def names() -> list[str]:
    """Every classifier and regressor that scikit-learn lists."""
    listed = all_estimators(type_filter=["classifier", "regressor"])
    return [name for name, _ in listed]


def by_itself(name: str) -> Animal:
    """That estimator, fitted. Raises the errors of its fit if a table does not suit it."""
    cls = dict(all_estimators())[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are deprecated
        estimator = _NEEDS.get(name, lambda c: c())(cls)
    if name not in _NEEDS:
        own = estimator.get_params()
        smaller = {key: value for key, value in _SMALLER.items() if key in own}
        if name.startswith(_SLOW_TO_CONVERGE):
            smaller.pop("max_iter", None)
        estimator.set_params(**smaller)
    if name in _ONE_FEATURE:
        return _of_one_feature(name, estimator)
    return animal(name, estimator, _target_of(name, estimator))


def _of_one_feature(name: str, estimator: Any) -> Animal:
    hours = np.array([[item["hour"]] for item in ITEMS], dtype=float)
    fitted = estimator.fit(codes()[:, [2]], _number())
    scores = fitted.predict(hours).reshape(-1, 1)
    return Animal(name, fitted, ["flag 0"], scores, features=["hour"])


def _target_of(name: str, estimator: Any) -> np.ndarray:
    if name in _BINARY:
        return _two()
    if name in _MULTI_LABEL:
        return _several()
    if name.startswith(_MULTI_TARGET):
        return _numbers()
    if name == "SelfTrainingClassifier":
        return _target().astype(object)
    return _target() if is_classifier(estimator) else _number()


# --- combinations -----------------------------------------------------------------------------


def _columns(**options: Any) -> ColumnTransformer:
    return ColumnTransformer(
        [
            ("words", OneHotEncoder(**options), ["city", "gang"]),
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["hour", "wealth"]),
        ]
    )


def _category_frame() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=5, categorical_features="from_dtype", min_samples_leaf=2
    )


def made(name: str, make: Callable[[], tuple[Any, ...]]) -> Animal:
    return animal(name, *make())


_text = "text"
COMBINATIONS: dict[str, Callable[[], tuple[Any, ...]]] = {
    "pipeline on an array": lambda: (make_pipeline(StandardScaler(), _LINE), _target()),
    "pipeline on a data frame": lambda: (
        make_pipeline(StandardScaler(), _LINE), _target(), "frame"),
    "columns and strings": lambda: (make_pipeline(_columns(), _LINE), _target(), _text),
    "columns picked by type": lambda: (
        make_pipeline(
            ColumnTransformer([
                ("words", OneHotEncoder(dtype=np.float32),
                 make_column_selector(dtype_exclude=np.number)),
                ("rest", "passthrough", make_column_selector(dtype_include=np.number)),
            ]),
            RandomForestClassifier(5, random_state=0),
        ), _target(), _text),
    "ordinal encoder and strings": lambda: (
        make_pipeline(
            ColumnTransformer([("words", OrdinalEncoder(), [0, 1])], remainder="passthrough"),
            GradientBoostingClassifier(n_estimators=5),
        ), _target(), _text),
    "target encoder": lambda: (
        make_pipeline(
            ColumnTransformer([("words", TargetEncoder(random_state=0), ["city", "gang"])]),
            LinearRegression(),
        ), _number(), _text),
    "categories by dtype": lambda: (_CategoryFrame(), _target(), _text),
    "text of a label": lambda: (
        make_pipeline(
            ColumnTransformer([("letters", TfidfVectorizer(analyzer="char"), "city"),
                               ("words", TfidfVectorizer(), "gang")]),
            LogisticRegression(),
        ), _target(), _text),
    "imputers": lambda: (
        make_pipeline(FeatureUnion([("a", SimpleImputer()), ("b", KNNImputer())]), _LINE),
        _target()),
    "imputer that learns": lambda: (
        make_pipeline(IterativeImputer(max_iter=2), _LINE), _target()),
    "output as a data frame": lambda: (
        make_pipeline(StandardScaler(), _LINE).set_output(transform="pandas"), _target(), "frame"),
    "columns and a remainder": lambda: (
        make_pipeline(
            ColumnTransformer(
                [("words", OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=2),
                  ["city", "gang"])], remainder=StandardScaler()),
            _LINE), _target(), _text),
    "steps that do nothing": lambda: (
        Pipeline([("nothing", "passthrough"),
                  ("some", VotingClassifier([("a", _LINE), ("b", "drop")], voting="soft"))]),
        _target()),
    "novelty": lambda: (LocalOutlierFactor(novelty=True), None),
    "mixture": lambda: (GaussianMixture(2, random_state=0), None),
    "clusters": lambda: (KMeans(3, n_init=1, random_state=0), None),
    "function transformer of log1p": lambda: (
        make_pipeline(FunctionTransformer(np.log1p), _LINE), _target()),
    "function transformer of nothing": lambda: (
        make_pipeline(FunctionTransformer(), Ridge()), _number()),
    "polynomials and splines": lambda: (
        make_pipeline(PolynomialFeatures(), SplineTransformer(n_knots=3), Ridge()), _number()),
    "quantiles, powers, bins": lambda: (
        make_pipeline(QuantileTransformer(n_quantiles=10), PowerTransformer(),
                      KBinsDiscretizer(3), Ridge()), _number()),
    "selection": lambda: (make_pipeline(SelectKBest(k=2), _LINE), _target()),
    "calibrated": lambda: (CalibratedClassifierCV(LinearSVC(), cv=2), _target()),
    "calibrated by temperature": lambda: (
        CalibratedClassifierCV(FrozenEstimator(clone(_LINE).fit(codes(), _target())),
                               method="temperature"), _target()),
    "calibrated isotonic": lambda: (
        CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=2), _target()),
    "grid search over a pipeline": lambda: (
        GridSearchCV(make_pipeline(StandardScaler(), SVC(random_state=0)),
                     {"svc__C": [0.5, 1.0], "svc__kernel": ["linear", "rbf"]},
                     cv=StratifiedKFold(2), scoring="accuracy"), _target()),
    "search with own scorer": lambda: (
        RandomizedSearchCV(_LINE, {"C": [0.1, 1.0]}, n_iter=2, cv=2, random_state=0,
                           scoring=make_scorer(f1_score, average="macro")), _target()),
    "search over a range": lambda: (
        GridSearchCV(_TREE, {"max_depth": range(1, 3), "min_samples_leaf": np.arange(1, 3)}, cv=2),
        _target()),
    "voting, hard": lambda: (VotingClassifier([("a", _TREE), ("b", _LINE)]), _target()),
    "voting, soft": lambda: (
        VotingClassifier([("a", _TREE), ("b", _LINE)], voting="soft"), _target(), "frame"),
    "stacking": lambda: (
        StackingClassifier([("a", _TREE), ("b", make_pipeline(StandardScaler(), _LINE))], cv=2),
        _target(), "frame"),
    "stacking and voting of regressors": lambda: (
        StackingRegressor([("a", Ridge()), ("b", VotingRegressor([("c", LinearRegression())]))],
                          cv=2), _number()),
    "one against the rest": lambda: (OneVsRestClassifier(LogisticRegression()), _target()),
    "one against the rest, several labels": lambda: (
        OneVsRestClassifier(LogisticRegression()), _several()),
    "one against the rest, no odds": lambda: (OneVsRestClassifier(LinearSVC()), _target()),
    "one against one": lambda: (OneVsOneClassifier(LinearSVC()), _target()),
    "output codes": lambda: (OutputCodeClassifier(LinearSVC(), random_state=0), _target()),
    "several outputs, odds": lambda: (
        MultiOutputClassifier(RandomForestClassifier(5, random_state=0)), _several()),
    "several outputs, hard": lambda: (MultiOutputClassifier(LinearSVC()), _several()),
    "several outputs of one forest": lambda: (
        RandomForestClassifier(5, random_state=0), _several()),
    "several outputs of one tree": lambda: (DecisionTreeClassifier(random_state=0), _several()),
    "several outputs of neighbours": lambda: (KNeighborsClassifier(), _several()),
    "several outputs of a network": lambda: (
        MLPClassifier(hidden_layer_sizes=(4,), max_iter=20, random_state=0), _several()),
    "several labels, hard": lambda: (RidgeClassifier(), _several()),
    "chain of classifiers": lambda: (ClassifierChain(_LINE), _several()),
    "chain of classifiers, hard": lambda: (ClassifierChain(LinearSVC()), _several()),
    "several targets": lambda: (LinearRegression(), _numbers()),
    "several targets of a forest": lambda: (
        RandomForestRegressor(5, random_state=0), _numbers(), "frame"),
    "several targets, one by one": lambda: (MultiOutputRegressor(Ridge()), _numbers()),
    "several targets of neighbours": lambda: (KNeighborsRegressor(), _numbers()),
    "several targets of a network": lambda: (
        MLPRegressor(hidden_layer_sizes=(4,), max_iter=20, random_state=0), _numbers()),
    "chain of regressors": lambda: (RegressorChain(Ridge()), _numbers()),
    "transformed target": lambda: (
        TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp), _number()),
    "target through a scaler": lambda: (
        TransformedTargetRegressor(Ridge(), transformer=StandardScaler()), _number()),
    "Gaussian process with kernels": lambda: (
        GaussianProcessRegressor(Matern() + WhiteKernel() * RBF() + DotProduct()), _number()),
    "kernel as a function": lambda: (SVC(kernel="poly", degree=2), _target()),
    "support vectors with odds": lambda: (SVC(probability=True, random_state=0), _target()),
    "boosted histograms with categories": lambda: (
        HistGradientBoostingClassifier(max_iter=5, categorical_features=[0, 1],
                                       min_samples_leaf=2), _target()),
    "boosted histograms with late categories": lambda: (
        HistGradientBoostingClassifier(max_iter=5, categorical_features=["gang", "wealth"],
                                       min_samples_leaf=2), _target(), "frame"),
    "boosted histograms, Poisson": lambda: (
        HistGradientBoostingRegressor(loss="poisson", max_iter=5), _number()),
    "boosted histograms, quantile": lambda: (
        HistGradientBoostingRegressor(loss="quantile", quantile=0.5, max_iter=5), _number()),
    "neighbours in a ball tree": lambda: (
        KNeighborsClassifier(algorithm="ball_tree", metric="minkowski", p=3,
                             weights="distance"), _target()),
    "neighbours by force": lambda: (KNeighborsClassifier(algorithm="brute"), _target()),
    "neighbours, scaled distance": lambda: (
        KNeighborsClassifier(algorithm="ball_tree", metric="seuclidean",
                             metric_params={"V": np.ones(4)}), _target()),
    "radius neighbours, far rows named": lambda: (
        RadiusNeighborsClassifier(radius=0.1, outlier_label="unknown"), _target()),
    "stochastic gradient, log loss": lambda: (
        SGDClassifier(loss="log_loss", random_state=0), _target()),
    "sparse coefficients": lambda: (_Sparsified(), _target()),
    "boosting from an estimator": lambda: (
        GradientBoostingClassifier(n_estimators=3, init=DummyClassifier(strategy="prior")),
        _target()),
    "isolation forest": lambda: (
        IsolationForest(n_estimators=5, max_features=2, random_state=0), None),
    "random state object": lambda: (
        RandomForestClassifier(5, random_state=np.random.RandomState(3)), _target()),
    "true or false": lambda: (_LINE, _two() == _two()[0]),
    "several outputs of other classes": lambda: (
        MultiOutputClassifier(_LINE),
        np.column_stack([_target(), np.where(codes()[:, 0] > 0, "yes", "no")])),
    "neighbours, a matrix of distances": lambda: (
        KNeighborsClassifier(metric="mahalanobis", metric_params={"VI": np.eye(4)}), _target()),
    "two labels": lambda: (_LINE, _two()),
    "class weights": lambda: (
        LogisticRegression(class_weight={"escapes": 1, "jailed": 2.5, "unknown": 1}), _target()),
}  # fmt: skip


# Others that people use, but the server does not load; docs/pickles.md has the reasons.
REFUSED: dict[str, Callable[[], tuple[Any, ...]]] = {
    "columns given as a pandas Index": lambda: (
        make_pipeline(
            ColumnTransformer([("words", OneHotEncoder(), table().columns[:2])],
                              remainder=StandardScaler()),
            _LINE,
        ), _target(), "text"),
    "search over a scipy.stats distribution": lambda: (
        RandomizedSearchCV(_LINE, {"C": scipy.stats.uniform(0.1, 1)}, n_iter=2, cv=2,
                           random_state=0), _target()),
    "function transformer of a function of one's own": lambda: (
        make_pipeline(FunctionTransformer(own_function), _LINE), _target()),
    "function transformer of a function of numpy that is not element-wise": lambda: (
        make_pipeline(FunctionTransformer(np.sort), _LINE), _target()),
    "neighbours by a function of one's own": lambda: (
        KNeighborsClassifier(metric=own_distance), _target()),
}  # fmt: skip


def own_function(rows: np.ndarray) -> np.ndarray:
    return rows * 2


def own_distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).sum())


class _CategoryFrame:
    """Fits on the table's strings as pandas categories; pickles as the bare boosting model."""

    def fit(self, inputs: pd.DataFrame, target: np.ndarray) -> Any:
        return _category_frame().fit(
            inputs.astype({"city": "category", "gang": "category"}), target
        )


class _Sparsified:
    """Fits a linear model, then keeps its coefficients as a sparse matrix."""

    def fit(self, inputs: np.ndarray, target: np.ndarray) -> Any:
        return SGDClassifier(loss="log_loss", random_state=0).fit(inputs, target).sparsify()
