"""Models as people build them, each with a lookup and flags, and nothing else: three pickles.

The cases come from the tables on which they were fitted, the expected answers from the estimators.
"""

import json
import pickle
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.covariance import EllipticEnvelope
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    load_wine,
)
from sklearn.decomposition import PCA, MiniBatchDictionaryLearning, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - for the next import
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    GammaRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    TweedieRegressor,
)
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor


@dataclass(frozen=True)
class Model:
    """A fitted estimator, its lookup, and its cases: rows of its own input."""

    estimator: Any
    lookup: dict[str, Any]
    inputs: Any  # the estimator's own input
    items: list[dict[str, Any]]
    flags: list[str] | None = None
    metadata: dict[str, Any] | None = None
    modules: list[str] = field(default_factory=list)  # of other libraries

    def answers(self) -> np.ndarray:
        """The estimator's own answers to ``inputs``, one row each."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _own(self.estimator, self.inputs, (self.metadata or {}).get("outputs_from"))

    def flag_names(self) -> list[str]:
        return self.flags or [f"flag {place}" for place in range(self.answers().shape[1])]


def _own(estimator: Any, inputs: Any, method: str | None) -> np.ndarray:
    if method == "return_std":
        return np.column_stack(estimator.predict(inputs, return_std=True))
    if method is None and hasattr(estimator, "predict_proba"):
        answer = estimator.predict_proba(inputs)
        return np.hstack(answer) if isinstance(answer, list) else np.asarray(answer)
    answer = np.asarray(getattr(estimator, method or "predict")(inputs))
    classes = getattr(estimator, "classes_", None)
    if method is None and classes is not None and len(classes) and answer.ndim == 1:
        return (answer[:, None] == np.asarray(classes)[None, :]).astype(float)
    return answer.reshape(len(answer), -1).astype(float)


def write(model: Model, folder: Path) -> None:
    """Write three pickles with ``pickle.dump``, and metadata only if there is any."""
    folder.mkdir(parents=True)
    parts = {"model": model.estimator, "lookup": model.lookup, "flags": model.flag_names()}
    for name, part in parts.items():
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(part))
    if model.metadata:
        (folder / "metadata.json").write_text(json.dumps(model.metadata))


ASKED = 6
rng = np.random.default_rng(11)
N = 240
CITIES = ["Łódź", "São Paulo", "York", "Gotham"]
SIZES = ["small", "medium", "large"]
PEOPLE = pd.DataFrame({
    "city": rng.choice(CITIES, N), "size": rng.choice(SIZES, N),
    "age": rng.integers(18, 80, N).astype(float), "income": rng.lognormal(10, 0.5, N),
    "member": rng.random(N) < 0.4, "year": rng.integers(2019, 2025, N),
})  # fmt: skip
BOUGHT = (PEOPLE.age + 20 * PEOPLE.member + rng.normal(0, 8, N) > 55).astype(int)
SPENT = PEOPLE.income * 0.01 + 30 * (PEOPLE.city == "York") + rng.normal(0, 5, N)
HOLES = PEOPLE.copy()
HOLES.loc[::7, "age"] = np.nan
HOLES.loc[::5, "income"] = np.nan
GAPS = HOLES.copy()
GAPS["city"] = GAPS.city.astype(object)
GAPS.loc[::6, "city"] = np.nan
TEXT, NUMBERS = ["city", "size"], ["age", "income"]
CODES = {"city": {c: i for i, c in enumerate(CITIES)}, "size": {s: i for i, s in enumerate(SIZES)}}
LOOKUP = CODES | {"age": 0, "income": 0, "member": False, "year": 0}
LOOKUP_OF_ARRAYS = {"city": np.array(CITIES, dtype=object), "size": np.array(SIZES),
                    "age": np.float64(0), "income": 0.0, "member": np.bool_(False)}  # fmt: skip
LETTERS = ["the joker laughs", "a quiet evening", "penguin on the roof", "tea with alfred"] * 8
ALARM = [1, 0, 1, 0] * 8


def frame(make: Any, columns: list[str], target: Any = BOUGHT, table: pd.DataFrame = PEOPLE,
          **more: Any) -> Model:  # fmt: skip
    """A model over some columns of a table of people."""
    asked = table[columns].iloc[: ASKED + 2]
    items = [
        {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()}
        for row in asked.astype(object).to_dict("records")
    ]
    items = [{k: v.item() if hasattr(v, "item") else v for k, v in row.items()} for row in items]
    lookup = more.pop("lookup", {name: LOOKUP[name] for name in columns})
    return Model(_fitted(make, table[columns], target), lookup, asked, items, **more)


def array(make: Any, data: Any, target: Any = None, names: list[str] | None = None,
          **more: Any) -> Model:  # fmt: skip
    """A model over a matrix of numbers."""
    names = names or [f"x{place}" for place in range(np.shape(data)[1])]
    asked = np.asarray(data, dtype=float)[:: max(1, len(data) // ASKED)][:ASKED]
    items = [
        {n: None if np.isnan(v) else v for n, v in zip(names, row, strict=True)}
        for row in asked.tolist()
    ]
    return Model(_fitted(make, data, target), dict.fromkeys(names, 0), asked, items, **more)


def letters(make: Any, **more: Any) -> Model:
    """A model over free text."""
    asked = ["the penguin laughs", "tea", "", "joker and alfred", "zebra", "a roof"]
    return Model(_fitted(make, LETTERS, ALARM), {"letter": ""}, asked,
                 [{"letter": text} for text in asked], **more)  # fmt: skip


def _fitted(make: Any, data: Any, target: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make.fit(data) if target is None else make.fit(data, target)


def columns(**options: Any) -> ColumnTransformer:
    return ColumnTransformer([
        ("text", OneHotEncoder(**options), TEXT),
        ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBERS),
        ("rest", "passthrough", ["member"]),
    ])  # fmt: skip


ALL = [*TEXT, *NUMBERS, "member"]
LINE = LogisticRegression(max_iter=500)
iris, wine, cancer = (load(return_X_y=True) for load in (load_iris, load_wine, load_breast_cancer))
diabetes, digits = load_diabetes(return_X_y=True), load_digits(return_X_y=True)
iris_frame = load_iris(as_frame=True)
body = load_linnerud(return_X_y=True)
holed = diabetes[0].copy()
holed[::7, 2] = np.nan
counts = rng.integers(0, 5, (60, 6)).astype(float)
two_labels = np.column_stack([iris[1] > 0, iris[1] > 1]).astype(int)
codes = np.column_stack([rng.integers(0, 4, N), rng.integers(0, 3, N), PEOPLE.age])
picture = {"pixels": [0.0] * 64}


def pixels(make: Any) -> Model:
    asked = digits[0][:ASKED]
    return Model(_fitted(make, digits[0][:400], digits[1][:400]), picture, asked,
                 [{"pixels": row} for row in asked.tolist()])  # fmt: skip


def near() -> Model:
    grid = np.array([(c, m) for c in range(4) for m in range(1, 13)], dtype=float)
    model = RadiusNeighborsRegressor(radius=1.0).fit(grid[:-12], np.arange(36.0))
    asked = grid[3:9]
    named = dict(zip("abcd", range(4), strict=True))
    items = [{"city": "abcd"[int(c)], "month": m} for c, m in asked.tolist()]
    return Model(model, {"city": named, "month": 0}, asked, items)


def categories() -> pd.DataFrame:
    table = PEOPLE[ALL].copy()
    for name in TEXT:
        table[name] = table[name].astype("category")
    return table


def boosted(library: str, name: str, modules: list[str], **options: Any) -> Model:
    module = __import__(library)
    table = categories()
    model = frame(getattr(module, name)(n_estimators=5, n_jobs=1, **options), ALL, table=table)
    return Model(model.estimator, model.lookup, model.inputs, model.items, modules=modules)


def whole_categories(library: str, name: str, modules: list[str], **options: Any) -> Model:
    """A boosting model fitted on years as pandas categories."""
    table = PEOPLE.assign(year=PEOPLE.year.astype("category"))
    model = getattr(__import__(library), name)(n_estimators=5, n_jobs=1, **options)
    return frame(model, ["age", "year"], table=table, modules=modules)


CATBOOST = ["catboost.core", "_catboost"]


def cats(name: str, categories: list[str], columns: list[str], **more: Any) -> Model:
    model = getattr(__import__("catboost"), name)(
        iterations=5, verbose=0, cat_features=categories, allow_writing_files=False, thread_count=1
    )
    return frame(model, columns, modules=CATBOOST, **more)


def cats_by_code() -> Model:
    table = PEOPLE.assign(city=PEOPLE.city.map(CODES["city"]))
    model = cats(
        "CatBoostClassifier", ["city"], ["city", "age"], target=table.city > 1, table=table
    )
    items = [item | {"city": CITIES[item["city"]]} for item in model.items]
    return replace(model, items=items)


def records(make: Any) -> Model:
    """A model over a dictionary for each case."""
    rows = PEOPLE[["city", "age", "year"]].astype({"year": float}).to_dict("records")
    model = _fitted(make_pipeline(make, LINE), rows, BOUGHT)
    lookup = {"city": CODES["city"], "age": 0, "year": 0}
    return Model(model, lookup, rows[:ASKED], rows[:ASKED])


def gaps_of_none() -> Model:
    cities = [None if place % 6 == 0 else city for place, city in enumerate(PEOPLE.city)]
    rows = np.array(cities, dtype=object)[:, None]
    filled = SimpleImputer(missing_values=None, strategy="most_frequent")
    model = _fitted(make_pipeline(filled, OneHotEncoder(), LINE), rows, BOUGHT)
    items = [{"city": city} for city in cities[:ASKED]]
    return Model(model, {"city": CITIES}, rows[:ASKED], items)


def codes_as_texts() -> Model:
    table = pd.DataFrame({"city": [str(int(code)) for code in codes[:, 0]]})
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LINE).fit(table, BOUGHT)
    items = [{"city": CITIES[int(code)]} for code in table.city[:ASKED]]
    return Model(model, {"city": CODES["city"]}, table[:ASKED], items)


def truths() -> Model:
    table = PEOPLE.assign(member=PEOPLE.member.astype("category"))
    booster = HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype")
    return frame(booster, ["member", "age"], table=table)


_score = {"outputs_from": "score_samples"}
MODELS: dict[str, Callable[[], Model]] = {
    "iris, logistic": lambda: array(LINE, *iris),
    "iris, scaled SVC with probabilities": lambda: array(
        make_pipeline(StandardScaler(), SVC(probability=True, random_state=0)), *iris),
    "iris, SVC": lambda: array(SVC(), *iris),
    "iris, LDA": lambda: array(LinearDiscriminantAnalysis(), *iris),
    "iris, QDA": lambda: array(QuadraticDiscriminantAnalysis(), *iris),
    "iris, nearest neighbours": lambda: array(KNeighborsClassifier(), *iris),
    "iris, radius neighbours": lambda: array(RadiusNeighborsClassifier(radius=0.7), *iris),
    "iris, naive Bayes": lambda: array(GaussianNB(), *iris),
    "iris, decision tree": lambda: array(DecisionTreeClassifier(max_depth=3), *iris),
    "iris, forest": lambda: array(RandomForestClassifier(10, random_state=0), *iris),
    "iris on a data frame": lambda: Model(
        LogisticRegression(max_iter=500).fit(iris_frame.data, iris_frame.target),
        dict.fromkeys(iris_frame.data.columns, 0), iris_frame.data[:5],
        iris_frame.data[:5].to_dict("records")),
    "iris, clusters": lambda: array(KMeans(3, n_init=1, random_state=0), iris[0]),
    "iris, small batches": lambda: array(MiniBatchKMeans(3, random_state=0), iris[0]),
    "iris, mixture": lambda: array(GaussianMixture(3, random_state=0), iris[0]),
    "iris, dictionary": lambda: array(make_pipeline(
        MiniBatchDictionaryLearning(3, random_state=0, max_iter=5), LINE), *iris),
    "iris, two labels": lambda: array(
        OneVsRestClassifier(LINE), iris[0], two_labels),
    "iris, two labels by a network": lambda: array(
        MLPClassifier((8,), max_iter=300, random_state=0), iris[0], two_labels),
    "iris, chain": lambda: array(ClassifierChain(LINE), iris[0], two_labels),
    "iris, several outputs": lambda: array(MultiOutputClassifier(LINE), iris[0], two_labels),
    "wine, boosting": lambda: array(HistGradientBoostingClassifier(max_iter=10), *wine),
    "wine, AdaBoost": lambda: array(AdaBoostClassifier(n_estimators=10, random_state=0), *wine),
    "wine, bagging": lambda: array(BaggingClassifier(n_estimators=5, random_state=0), *wine),
    "wine, vote": lambda: array(VotingClassifier(
        [("nb", GaussianNB()), ("tree", DecisionTreeClassifier(max_depth=3))], voting="soft"),
        *wine),
    "wine, grid search": lambda: array(
        GridSearchCV(make_pipeline(StandardScaler(), SVC()), {"svc__C": [1, 10]}, cv=2), *wine),
    "wine, components": lambda: array(
        make_pipeline(StandardScaler(), PCA(3, random_state=0), LINE), *wine),
    "cancer, calibrated": lambda: array(CalibratedClassifierCV(LinearSVC(), cv=2), *cancer),
    "cancer, selection": lambda: array(
        make_pipeline(VarianceThreshold(), SelectKBest(k=5), RobustScaler(), LINE), *cancer),
    "cancer, SGD": lambda: array(
        make_pipeline(MinMaxScaler(), SGDClassifier(loss="log_loss", random_state=0)), *cancer),
    "cancer, ridge": lambda: array(RidgeClassifier(), *cancer),
    "diabetes, line": lambda: array(LinearRegression(), *diabetes),
    "diabetes, elastic net": lambda: array(ElasticNet(alpha=0.01), *diabetes),
    "diabetes, partial least squares": lambda: array(PLSRegression(2), *diabetes),
    "diabetes, SVR": lambda: array(SVR(), *diabetes),
    "diabetes, boosting": lambda: array(
        GradientBoostingRegressor(n_estimators=10, random_state=0), *diabetes),
    "diabetes, extra trees": lambda: array(
        ExtraTreesRegressor(n_estimators=5, random_state=0), *diabetes),
    "diabetes, holes and a booster": lambda: array(
        HistGradientBoostingRegressor(max_iter=10), holed, diabetes[1]),
    "diabetes, holes and an imputer": lambda: array(
        make_pipeline(IterativeImputer(max_iter=2, random_state=0), Ridge()), holed, diabetes[1]),
    "diabetes, holes and neighbours": lambda: array(
        make_pipeline(KNNImputer(), Ridge()), holed, diabetes[1]),
    "diabetes, holes and a forest": lambda: array(
        RandomForestRegressor(20, random_state=0), holed, diabetes[1]),
    "diabetes, quantile": lambda: array(QuantileRegressor(quantile=0.9), *diabetes),
    "diabetes, splines": lambda: array(
        make_pipeline(SplineTransformer(n_knots=4), Ridge()), *diabetes),
    "diabetes, polynomials": lambda: array(
        make_pipeline(PolynomialFeatures(2), Ridge()), *diabetes),
    "diabetes, stack": lambda: array(StackingRegressor(
        [("tree", DecisionTreeRegressor(max_depth=3)), ("ridge", Ridge())], cv=2), *diabetes),
    "diabetes, target of its logarithm": lambda: array(TransformedTargetRegressor(
        LinearRegression(), func=np.log1p, inverse_func=np.expm1), *diabetes),
    "diabetes, kernel": lambda: array(
        make_pipeline(Nystroem(n_components=20, random_state=0), Ridge()), *diabetes),
    "diabetes, Gaussian process": lambda: array(
        GaussianProcessRegressor(RBF(0.1), alpha=1.0), diabetes[0][:60], diabetes[1][:60]),
    "diabetes, with its deviation": lambda: array(
        BayesianRidge(), *diabetes, metadata={"outputs_from": "return_std"}),
    "exercise, several targets": lambda: array(MultiOutputRegressor(Ridge()), *body),
    "exercise, forest of targets": lambda: array(
        RandomForestRegressor(5, random_state=0), *body),
    "digits, pictures": lambda: pixels(make_pipeline(MinMaxScaler(), LINE)),
    "digits, neighbours": lambda: pixels(KNeighborsClassifier(3)),
    "counts, Poisson": lambda: array(PoissonRegressor(), counts, counts.sum(1)),
    "counts, gamma": lambda: array(GammaRegressor(), counts, counts.sum(1) + 1),
    "counts, Tweedie": lambda: array(TweedieRegressor(power=1.5), counts, counts.sum(1)),
    "counts, multinomial": lambda: array(MultinomialNB(), counts, counts[:, 0] > 2),
    "counts, complement": lambda: array(ComplementNB(), counts, counts[:, 0] > 2),
    "counts, Bernoulli": lambda: array(BernoulliNB(), counts, counts[:, 0] > 2),
    "codes, one-hot": lambda: Model(
        make_pipeline(ColumnTransformer([("c", OneHotEncoder(), [0, 1])],
                                        remainder=StandardScaler()), LINE).fit(codes, BOUGHT),
        CODES | {"age": 0}, codes[:5],
        [{"city": CITIES[int(c)], "size": SIZES[int(s)], "age": a}
         for c, s, a in codes[:5].tolist()]),
    "neighbours within a radius": near,
    "undeclared year, one-hot": lambda: frame(make_pipeline(OneHotEncoder(), LINE), ["year"]),
    "undeclared year, bins": lambda: frame(
        make_pipeline(KBinsDiscretizer(3, quantile_method="linear"), LINE), ["year", "age"]),
    "logarithm of an income": lambda: frame(
        make_pipeline(FunctionTransformer(np.log), StandardScaler(), Ridge()), ["income"], SPENT),
    "reciprocal of a year": lambda: frame(
        make_pipeline(FunctionTransformer(np.reciprocal), Ridge()), ["age"], SPENT),
    "people, columns": lambda: frame(make_pipeline(columns(), LINE), ALL),
    "people, unknown cities ignored": lambda: frame(
        make_pipeline(columns(handle_unknown="ignore"), LINE), ALL, table=HOLES),
    "people, rare cities together": lambda: frame(
        make_pipeline(columns(handle_unknown="infrequent_if_exist", min_frequency=70), LINE), ALL),
    "people, gaps among cities": lambda: frame(
        make_pipeline(columns(handle_unknown="ignore"), LINE), ALL, table=GAPS),
    "people, most frequent city": lambda: frame(make_pipeline(
        ColumnTransformer([("t", make_pipeline(
            SimpleImputer(strategy="most_frequent"), OneHotEncoder()), ["city"]),
            ("n", SimpleImputer(), NUMBERS)]), LINE), ["city", *NUMBERS], table=GAPS),
    "people, picked by type": lambda: frame(make_pipeline(ColumnTransformer([
        ("t", OneHotEncoder(), make_column_selector(dtype_exclude=[np.number, bool])),
        ("n", StandardScaler(), make_column_selector(dtype_include=np.number))],
        remainder="passthrough"), RandomForestClassifier(5, random_state=0)), ALL),
    "people, ordinal": lambda: frame(make_pipeline(ColumnTransformer([
        ("t", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), TEXT)],
        remainder="passthrough"), HistGradientBoostingClassifier(max_iter=5)), ALL, table=HOLES),
    "people, target encoder": lambda: frame(make_pipeline(ColumnTransformer([
        ("t", TargetEncoder(random_state=0), TEXT), ("n", "passthrough", NUMBERS)]),
        GradientBoostingRegressor(n_estimators=5, random_state=0)), [*TEXT, *NUMBERS], SPENT),
    "people, quantiles": lambda: frame(
        make_pipeline(QuantileTransformer(n_quantiles=20), Ridge()), NUMBERS, SPENT),
    "people, a list of cities": lambda: frame(
        make_pipeline(OneHotEncoder(), LINE), TEXT, lookup={"city": CITIES, "size": SIZES}),
    "people, cities as text": lambda: frame(
        make_pipeline(OneHotEncoder(handle_unknown="ignore"), LINE), TEXT,
        lookup={"city": "", "size": ""}),
    "people, pandas categories": lambda: frame(
        HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype"), ALL,
        table=categories()),
    "people, grid search": lambda: frame(GridSearchCV(
        make_pipeline(columns(), SelectKBest(k=4), LINE), {"selectkbest__k": [3, 4]}, cv=2), ALL),
    "people, calibrated": lambda: frame(CalibratedClassifierCV(
        make_pipeline(columns(handle_unknown="ignore"), LinearSVC()), cv=2), ALL, table=HOLES),
    "people, tuned threshold": lambda: frame(
        TunedThresholdClassifierCV(make_pipeline(columns(), LINE), cv=2), ALL),
    "people, several outputs": lambda: frame(MultiOutputClassifier(
        make_pipeline(columns(), LINE)), ALL, np.column_stack([BOUGHT, 1 - BOUGHT])),
    "people, records": lambda: records(DictVectorizer()),
    "people, records hashed": lambda: records(FeatureHasher(32)),
    "people, codes that are texts": codes_as_texts,
    "people, truths as pandas categories": truths,
    "people, none for a city": gaps_of_none,
    "people, splines that end": lambda: frame(
        make_pipeline(SplineTransformer(extrapolation="error"), Ridge()), NUMBERS, SPENT),
    "people, arrays and truths in the lookup": lambda: frame(
        make_pipeline(columns(), LINE), ALL,
        lookup=LOOKUP_OF_ARRAYS),
    "people, letters beside numbers": lambda: frame(make_pipeline(ColumnTransformer([
        ("t", TfidfVectorizer(analyzer="char"), "city"), ("n", StandardScaler(), NUMBERS)]), LINE),
        ["city", *NUMBERS], lookup={"city": "", "age": 0, "income": 0}),
    "letters, tf-idf": lambda: letters(make_pipeline(TfidfVectorizer(), LINE)),
    "letters, counts": lambda: letters(make_pipeline(CountVectorizer(), MultinomialNB())),
    "letters, hashes": lambda: letters(make_pipeline(
        HashingVectorizer(n_features=64), SGDClassifier(loss="log_loss", random_state=0))),
    "letters, topics": lambda: letters(make_pipeline(
        TfidfVectorizer(), TruncatedSVD(3, random_state=0), KNeighborsRegressor())),
    "letters, grid search": lambda: letters(GridSearchCV(
        make_pipeline(TfidfVectorizer(), LINE), {"logisticregression__C": [1, 10]}, cv=2)),
    "odd ones, forest": lambda: array(
        IsolationForest(n_estimators=10, random_state=0), iris[0], metadata=_score),
    "odd ones, one class": lambda: array(
        OneClassSVM(), iris[0], metadata={"outputs_from": "decision_function"}),
    "odd ones, local factor": lambda: array(
        LocalOutlierFactor(novelty=True), iris[0], metadata=_score),
    "odd ones, envelope": lambda: array(
        EllipticEnvelope(random_state=0), iris[0], metadata={"outputs_from": "decision_function"}),
    "components themselves": lambda: array(
        make_pipeline(StandardScaler(), PCA(2, random_state=0)), iris[0],
        metadata={"outputs_from": "transform"}),
    "distance to the middle of a cluster": lambda: array(
        KMeans(3, n_init=1, random_state=0), iris[0], metadata={"outputs_from": "transform"}),
}  # fmt: skip

LIBRARIES: dict[str, tuple[str, Callable[[], Model]]] = {
    "LightGBM with pandas categories": ("lightgbm", lambda: boosted(
        "lightgbm", "LGBMClassifier", ["lightgbm.sklearn", "lightgbm.basic"], verbose=-1)),
    "XGBoost with pandas categories": ("xgboost", lambda: boosted(
        "xgboost", "XGBClassifier", ["xgboost.sklearn", "xgboost.core"],
        enable_categorical=True)),
    "LightGBM with whole numbers as categories": ("lightgbm", lambda: whole_categories(
        "lightgbm", "LGBMClassifier", ["lightgbm.sklearn", "lightgbm.basic"], verbose=-1)),
    "XGBoost with whole numbers as categories": ("xgboost", lambda: whole_categories(
        "xgboost", "XGBClassifier", ["xgboost.sklearn", "xgboost.core"],
        enable_categorical=True)),
    "CatBoost": ("catboost", lambda: cats("CatBoostClassifier", TEXT, [*TEXT, *NUMBERS])),
    "CatBoost, a regressor": ("catboost", lambda: cats(
        "CatBoostRegressor", TEXT, [*TEXT, *NUMBERS], target=SPENT)),
    "CatBoost, codes": ("catboost", cats_by_code),
    "CatBoost, years": ("catboost", lambda: cats(
        "CatBoostClassifier", ["year"], ["year", "age"])),
}  # fmt: skip
