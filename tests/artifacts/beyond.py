"""Models with inconsistent sizes, so that compiled code reads or writes beyond an array.

Many would not crash, but return scores with content of the server's memory.
"""

import copy
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomTreesEmbedding,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - lets the next be imported
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.multioutput import ClassifierChain
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    RadiusNeighborsRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

ROWS = np.random.default_rng(7).integers(0, 5, (60, 4)).astype(float)
CLASSES = (ROWS.sum(axis=1) % 3).astype(int)


def changed(fitted: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of ``fitted``, changed."""
    model = copy.deepcopy(fitted)
    change(model)
    return model


def given(**attributes: Any) -> Callable[[Any], Any]:
    return lambda model: vars(model).update(attributes)


def before_a_line(transformer: Any) -> Any:
    return make_pipeline(transformer, Ridge()).fit(ROWS, ROWS[:, 0])


def support_vectors() -> dict[str, Any]:
    """Support vector machines with wrong counts, which libsvm trusts."""
    line, classes = SVR().fit(ROWS, ROWS[:, 0]), SVC().fit(ROWS, CLASSES)
    sparse = SVC().fit(scipy.sparse.csr_matrix(ROWS), CLASSES)
    many = np.zeros(5000, dtype=np.int32)
    counts = {"_n_support": np.append(line._n_support[:1], many)}
    nothing = scipy.sparse.csr_matrix(sparse._dual_coef_.shape)
    nameless = changed(classes, given(
        _n_support=np.append(many, np.int32(len(classes.support_))),
        dual_coef_=classes.dual_coef_[:1], _dual_coef_=classes._dual_coef_[:1],
        intercept_=classes.intercept_[:1], _intercept_=classes._intercept_[:1]))  # fmt: skip
    del nameless.classes_
    return {
        "a regressor of many classes": changed(line, given(**counts)),
        "a regressor that classifies": changed(line, given(_impl="c_svc", **counts)),
        "novelties of many classes": changed(OneClassSVM().fit(ROWS), given(**counts)),
        "classes without names": nameless,
        "weights that are not stored": changed(
            sparse, given(dual_coef_=nothing, _dual_coef_=nothing)),
    }  # fmt: skip


def encoders() -> dict[str, Any]:
    """Encoders that read a sparse matrix's width from one attribute, its content from another."""
    coded, binned = before_a_line(OneHotEncoder()), before_a_line(KBinsDiscretizer(3))
    planted = before_a_line(RandomTreesEmbedding(n_estimators=3, random_state=0))
    words = CountVectorizer(analyzer="char").fit(["abc", "bcd"])
    powers = before_a_line(PolynomialFeatures(2))

    def spelt(at: int) -> Any:
        return make_pipeline(
            changed(words, lambda w: w.vocabulary_.update(b=at)), LogisticRegression()
        )

    def narrow(model: Any) -> None:
        model[0]._n_features_outs = [1, 1, 1, 1]
        model[1].coef_, model[1].n_features_in_ = np.zeros(4), 4

    return {
        "more categories than columns": changed(coded, narrow),
        "columns below zero": changed(
            coded, lambda m: vars(m[0]).update(_n_features_outs=[-(10**6), 1, 1, 10**6 + 18])),
        "bins in few columns": changed(
            binned, lambda m: vars(m[0]._encoder).update(_n_features_outs=[1] * 4)),
        "leaves in few columns": changed(
            planted, lambda m: vars(m[0].one_hot_encoder_).update(_n_features_outs=[1] * 3)),
        "words in a far column": spelt(10**8),
        "words in the next column": spelt(4),
        "words in a column below zero": spelt(-(10**7)),
        "powers that are not computed": changed(
            powers, lambda m: (vars(m[0]).update(_n_out_full=10**6, n_output_features_=10**6),
                               vars(m[1]).update(coef_=np.zeros(10**6), n_features_in_=10**6))),
    }  # fmt: skip


def histograms() -> dict[str, Any]:
    """Trees over other columns than those in training."""
    plain = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=2).fit(ROWS, CLASSES)
    coded = HistGradientBoostingClassifier(
        max_iter=2, min_samples_leaf=2, categorical_features=[2]).fit(ROWS, CLASSES)  # fmt: skip
    one_column = ColumnTransformer([("a", "passthrough", [0])]).fit(ROWS)

    def by_category(model: Any) -> None:
        for tree in (tree for stage in model._predictors for tree in stage):
            tree.nodes["is_categorical"][tree.nodes["is_leaf"] == 0] = 1
            tree.nodes["bitset_idx"][:] = 0
            tree.raw_left_cat_bitsets = np.zeros((1, 8), dtype=np.uint32)

    def shuffled(model: Any) -> None:
        name, part, columns = model._preprocessor.transformers_[1]
        model._preprocessor.transformers_[1] = (name, part, columns & (np.arange(4) > 2))

    def averaged(model: Any) -> None:
        mean = FunctionTransformer(np.mean, kw_args={"axis": 1, "keepdims": True})
        name, _, columns = model._preprocessor.transformers_[1]
        model._preprocessor.transformers_[1] = (name, mean.fit(ROWS), columns)

    return {
        "columns left out": changed(plain, given(_preprocessor=one_column)),
        "fewer columns than were coded": changed(coded, shuffled),
        "an average of the columns": changed(coded, averaged),
        "categories that are not coded": changed(coded, given(_preprocessor=None)),
        "categories that are not known": changed(plain, by_category),
    }


def others() -> dict[str, Any]:
    """Distances and sparse coefficients."""
    line = LogisticRegression().fit(ROWS, CLASSES)
    near = KNeighborsClassifier(algorithm="brute").fit(ROWS, CLASSES)
    diagonal, listed = scipy.sparse.dia_matrix((3, 4)), scipy.sparse.lil_matrix((3, 4))
    diagonal.offsets, diagonal.data = np.arange(-5000, 5000, dtype=np.int32), np.zeros((1, 4))
    short = listed.copy()
    listed.rows[0], listed.data[0] = [10**8, 3 * 10**8], [1.0, 2.0]
    short.rows[0], short.data[0] = [1, 2, 3], [1.0]
    return {
        "a distance with a small matrix": changed(near, given(
            effective_metric_="mahalanobis", effective_metric_params_={"VI": np.ones((1, 1))})),
        "diagonals that are not there": changed(line, given(coef_=diagonal)),
        "lists that lead outside": changed(line, given(coef_=listed)),
        "lists of other lengths": changed(line, given(coef_=short)),
    }  # fmt: skip


def leftovers() -> dict[str, Any]:
    """Arrays that are allocated but not filled: an answer would contain old memory."""
    one = TargetEncoder(target_type="continuous").fit(ROWS, ROWS[:, 0])
    several = TargetEncoder(target_type="multiclass").fit(ROWS, CLASSES)
    line, wide = Ridge().fit(ROWS, ROWS[:, 0]), Ridge().fit(np.tile(ROWS, 3), ROWS[:, 0])
    answers = np.column_stack([CLASSES > 0, CLASSES > 1, CLASSES == 1])
    chain = ClassifierChain(LogisticRegression()).fit(ROWS, answers)
    return {
        "columns that no encoding fills": make_pipeline(
            changed(one, given(encodings_=one.encodings_[:1])), line),
        "classes that no encoding fills": make_pipeline(
            changed(several, given(encodings_=several.encodings_[::3])), wide),
        "encodings of fewer categories": make_pipeline(
            changed(one, given(encodings_=[e[:1] for e in one.encodings_])), line),
        "a chain that fills a place twice": changed(chain, given(order_=[0, 0, 1])),
    }  # fmt: skip


def in_disguise() -> dict[str, Any]:
    """Functions, matrices and numbers where scikit-learn expects something else."""
    line, near = LogisticRegression().fit(ROWS, CLASSES), KNeighborsClassifier().fit(ROWS, CLASSES)
    vectors = SVC(kernel="linear").fit(ROWS, CLASSES)
    scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, CLASSES)
    coded, forest = before_a_line(OneHotEncoder()), RandomForestClassifier(3, random_state=0)
    forest.fit(ROWS, CLASSES)
    two = DecisionTreeClassifier(random_state=0).fit(ROWS, CLASSES > 0)
    spline = before_a_line(SplineTransformer(n_knots=3))

    def narrower(model: Any) -> None:
        knots = model[0].bsplines_[0]
        vars(knots).update(t=knots.t.astype(np.float32), _t=knots.t.astype(np.float32))

    def hashed(columns: Any) -> Any:
        return make_pipeline(HashingVectorizer(n_features=columns), LogisticRegression())

    return {
        "a kernel that is a ufunc": changed(vectors, given(kernel=np.positive)),
        "a distance that is a function": changed(near, given(
            metric=euclidean_distances, effective_metric_=euclidean_distances)),
        "weights that are a function": changed(near, given(weights=np.reciprocal)),
        "classes that are a matrix": changed(
            line, given(classes_=scipy.sparse.csr_matrix([[1, 2, 3]]))),
        "a mean that is a matrix": changed(
            scaled, lambda m: vars(m[0]).update(mean_=scipy.sparse.csr_matrix([[0.0] * 4]))),
        "categories that are matrices": changed(
            coded, lambda m: vars(m[0]).update(categories_=[scipy.sparse.eye(1)] * 4)),
        "trees of different answers": changed(
            forest, lambda m: m.estimators_.__setitem__(1, two)),
        "knots of half the size": changed(spline, narrower),
        "no column to hash into": hashed(0),
        "fewer columns than none": hashed(-5),
        "columns counted by truth": hashed(True),
    }  # fmt: skip


def more_than_one_row() -> dict[str, Any]:
    """Models that answer the first row well, but fail for other rows or later calls."""
    near = KNeighborsRegressor(algorithm="brute", weights="distance").fit(ROWS, ROWS[:, 0])
    around = RadiusNeighborsRegressor(50, algorithm="brute").fit(ROWS, ROWS[:, 0])
    boosting = GradientBoostingRegressor(n_estimators=2, init=LinearRegression())
    boosting.fit(ROWS, ROWS[:, 0])
    words = CountVectorizer(token_pattern=r"\w+").fit(["a b", "c"])
    scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, CLASSES)
    growing = defaultdict(int, words.vocabulary_)

    def forged(side: str) -> Any:
        return given(effective_metric_params_={f"{side}_norm_squared": np.zeros(1)})

    def across(model: Any) -> None:
        model.init_.intercept_ = np.full((1, 1), 2.0)  # n rows and one column give (1, n)

    return {
        "norms of fewer samples": changed(near, forged("Y")),
        "norms of fewer rows": changed(near, forged("X")),
        "norms of fewer samples around": changed(around, forged("Y")),
        "a first guess that lies across": changed(boosting, across),
        "a vocabulary that grows": make_pipeline(
            changed(words, given(vocabulary_=growing)), LogisticRegression()),
        "a method that only some have, hidden": changed(scaled, given(predict_proba=np.positive)),
    }  # fmt: skip


def learner() -> Any:
    """To fill ``a``, an inner imputer learns from other columns, unless it is fitted already."""
    unknown = np.where(np.random.default_rng(1).random(ROWS.shape) < 0.2, np.nan, ROWS)
    inner = IterativeImputer(missing_values=-1, keep_empty_features=True, tol=1e9)
    inner.fit(np.nan_to_num(unknown[:, 1:], nan=-1))
    vars(inner).update(initial_imputer_=None, imputation_sequence_=[], n_iter_=0)
    first = LinearRegression().fit(ROWS[:, 1:], ROWS[:, 1])
    outer = IterativeImputer(keep_empty_features=True, tol=1e9).fit(unknown)
    ask = type(outer.imputation_sequence_[0])
    vars(outer).update(
        initial_imputer_=SimpleImputer(strategy="constant", fill_value=-1).fit(unknown),
        imputation_sequence_=[ask(0, np.arange(1, 4), make_pipeline(inner, first))],
        _min_value=np.full(4, -np.inf), _max_value=np.full(4, np.inf), n_iter_=1,
    )  # fmt: skip
    return make_pipeline(outer, LinearRegression().fit(ROWS, ROWS))


def corpus() -> dict[str, Any]:
    """All these models by name."""
    found = (support_vectors() | encoders() | histograms() | others() | leftovers()
             | in_disguise() | more_than_one_row())  # fmt: skip
    return {f"beyond: {name}": model for name, model in found.items()}
