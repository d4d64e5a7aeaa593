"""Models with well-formed pickles but malformed arrays, which attack compiled code.

As a program, this module examines each and prints the result, one JSON line per model: a crash
ends that process, not the tests.
"""

import copy
import json
import pickle
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.base import BaseEstimator
from sklearn.cluster import Birch, BisectingKMeans, KMeans
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomTreesEmbedding,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics.pairwise import linear_kernel
from sklearn.neighbors import KernelDensity, KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    SplineTransformer,
)
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from predictor.artifacts.examination import examine
from predictor.artifacts.files import FLAGS, LOOKUP, MODEL, VersionFiles
from predictor.artifacts.policy import Policy
from tests.artifacts import beyond

ROWS = np.random.default_rng(7).integers(0, 5, (60, 4)).astype(float)
CLASSES = (ROWS.sum(axis=1) % 3).astype(int)
LOOKUP_OF_FOUR = dict.fromkeys("abcd", 0)
LABEL = "a" * 40 + "!"


class Crafted:
    """Pickles like ``thing``, but with a state changed by ``change``."""

    def __init__(self, thing: Any, change: Callable[[Any], Any]) -> None:
        maker, args, state, *_ = thing.__reduce__()
        self.parts = maker, args, change(copy.deepcopy(state))

    def __reduce__(self) -> tuple[Any, ...]:
        return self.parts


class Renamed:
    """Pickles as a call of a listed constructor with other arguments and state."""

    def __init__(self, maker: Any, args: tuple[Any, ...], state: Any) -> None:
        self.parts = maker, args, state

    def __reduce__(self) -> tuple[Any, ...]:
        return self.parts


def node(field: str, index: int, to: float) -> Callable[[Any], Any]:
    def change(state: Any) -> Any:
        state["nodes"][field][index] = to
        return state

    return change


def entry(key: str, to: Any) -> Callable[[Any], Any]:
    def change(state: Any) -> Any:
        state[key] = to(state[key]) if callable(to) else to
        return state

    return change


def item(index: int, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def apply(state: Any) -> Any:
        return (*state[:index], change(np.array(state[index])), *state[index + 1 :])

    return apply


def put(index: Any, to: Any, field: str = "") -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        (array[field] if field else array)[index] = to
        return array

    return change


def _fit(estimator: Any, target: Any = CLASSES) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(ROWS, target)


def _with(estimator: Any, **attributes: Any) -> Any:
    for key, value in attributes.items():
        setattr(estimator, key, value)
    return estimator


def trees() -> dict[str, Any]:
    """Decision trees with links outside the tree, alone and in ensembles."""
    changes = {
        "child far out": node("left_child", 0, 10**9),
        "right child far out": node("right_child", 0, 2**40),
        "child of itself": node("left_child", 0, 0),
        "child in a circle": node("right_child", 2, 1),
        "negative child": node("left_child", 0, -7),
        "half a leaf": node("left_child", 0, -1),
        "feature far out": node("feature", 0, 10**9),
        "feature beyond": node("feature", 0, 4),
        "negative feature": node("feature", 0, -3),
        "more nodes than there are": entry("node_count", 10**8),
        "fewer nodes than there are": entry("node_count", 1),
        "no nodes": entry("node_count", 0),
        "negative nodes": entry("node_count", -1),
        "few nodes": entry("nodes", lambda nodes: nodes[:1].copy()),
        "no node at all": entry("nodes", lambda nodes: nodes[:0].copy()),
        "values of another shape": entry("values", lambda values: values[:, :, :1].copy()),
        "few values": entry("values", lambda values: values[:1].copy()),
        "values as text": entry("values", "values"),
        "nodes as numbers": entry("nodes", lambda nodes: np.zeros(len(nodes))),
    }
    found = {}
    for name, change in changes.items():
        tree = _fit(DecisionTreeClassifier(random_state=0))
        found[f"tree: {name}"] = _with(tree, tree_=Crafted(tree.tree_, change))
    for name in ("child far out", "feature far out", "child of itself"):
        forest = _fit(RandomForestClassifier(3, random_state=0))
        member = forest.estimators_[1]
        member.tree_ = Crafted(member.tree_, changes[name])
        found[f"forest: {name}"] = forest
        boosting = _fit(GradientBoostingClassifier(n_estimators=2))
        member = boosting.estimators_[0, 1]
        member.tree_ = Crafted(member.tree_, changes[name])
        found[f"boosting: {name}"] = boosting
    tree = _fit(DecisionTreeClassifier(random_state=0))
    wide = DecisionTreeClassifier(random_state=0).fit(np.tile(ROWS, 50), CLASSES)
    several = _fit(DecisionTreeClassifier(), np.column_stack([CLASSES, CLASSES]))
    forest = _fit(RandomForestClassifier(3, random_state=0))
    forest.estimators_[2] = wide
    other = _fit(ExtraTreeClassifier(random_state=0))
    tall = _fit(DecisionTreeClassifier(random_state=0))
    return found | {
        "tree: of more features": _with(tree, tree_=wide.tree_),
        "tree: of more outputs": _with(other, tree_=several.tree_),
        "tree: bytes": _with(copy.copy(tree), tree_=b"x" * 4096),
        "tree: text": _with(copy.copy(tree), tree_="tree"),
        "tree: a neighbour tree": _with(copy.copy(tree), tree_=_fit(
            KNeighborsClassifier(algorithm="kd_tree"))._tree),
        "tree: itself": _with(tall, tree_=tall),
        "forest: of more features": forest,
    }  # fmt: skip


def ensembles() -> dict[str, Any]:
    """Boosting and bagging with parts that do not fit together."""
    boosting = _fit(GradientBoostingClassifier(n_estimators=2))
    several = _fit(DecisionTreeClassifier(), np.column_stack([CLASSES, CLASSES]))
    few = _fit(DummyClassifier(strategy="prior"), CLASSES > 0)
    regressor = _fit(GradientBoostingRegressor(n_estimators=2, init=DummyRegressor()), ROWS[:, 0])
    line = _fit(LogisticRegression())

    def stages(change: Callable[[Any], Any]) -> Any:
        model = copy.deepcopy(boosting)
        model.estimators_ = change(model.estimators_)
        return model

    bagging = _fit(BaggingClassifier(n_estimators=2, max_features=2, random_state=0))
    outside, short = copy.deepcopy(bagging), copy.deepcopy(bagging)
    outside.estimators_features_[0] = np.array([0, 10**9])
    short.estimators_features_[0] = np.array([0])
    isolation = _fit(IsolationForest(n_estimators=3, max_features=3, random_state=0))
    isolation._estimators_features = isolation.estimators_features_ = [np.array([0])] * 3
    return {
        "boosting: wider stages": stages(lambda s: np.hstack([s] * 40)),
        "boosting: narrower stages": stages(lambda s: s[:, :1].copy()),
        "boosting: flat stages": stages(lambda s: s.ravel()),
        "boosting: stages of classifiers": stages(put((0, 0), several)),
        "boosting: stages of lines": stages(put((0, 0), line)),
        "boosting: stages of text": stages(put((0, 0), "tree")),
        "boosting: stages as a list": stages(lambda s: s.tolist()),
        "boosting: numbers as stages": stages(lambda s: np.zeros(s.shape)),
        "boosting: another first guess": _with(copy.deepcopy(boosting), init_=few),
        "boosting: no first guess": _with(copy.deepcopy(boosting), init_=None),
        "boosting: several first guesses": _with(
            regressor, init_=_fit(DummyRegressor(), ROWS[:, :3])),
        "bagging: columns outside": outside,
        "bagging: columns missing": short,
        "isolation forest: columns missing": isolation,
    }  # fmt: skip


def histograms() -> dict[str, Any]:
    """Histogram boosting with crafted nodes."""
    fitted = _fit(HistGradientBoostingClassifier(
        max_iter=2, categorical_features=[0], min_samples_leaf=2, max_leaf_nodes=6))  # fmt: skip

    def crafted(change: Callable[[Any], None]) -> Any:
        model = copy.deepcopy(fitted)
        change(model._predictors[0][0])
        return model

    def at(field: str, to: Any, index: int = 0) -> Any:
        return crafted(lambda p: p.nodes[field].__setitem__(index, to))

    def by_category(predictor: Any) -> None:
        predictor.nodes["is_categorical"][0] = 1
        predictor.nodes["bitset_idx"][0] = 10**6

    def narrow(predictor: Any) -> None:
        predictor.raw_left_cat_bitsets = np.zeros((3, 1), dtype=np.uint32)

    bins = copy.deepcopy(fitted)
    bins._bin_mapper.is_categorical_ = np.ones(1000, dtype=np.uint8)
    return {
        "histogram: child far out": at("left", 10**8),
        "histogram: right child far out": at("right", 2**31),
        "histogram: child of itself": at("left", 0),
        "histogram: feature far out": at("feature_idx", 10**8),
        "histogram: negative feature": at("feature_idx", -5),
        "histogram: set of categories far out": crafted(by_category),
        "histogram: narrow sets": crafted(narrow),
        "histogram: bins of another width": bins,
        "histogram: nodes of another type": crafted(
            lambda p: setattr(p, "nodes", np.zeros(5))),
        "histogram: no nodes": crafted(lambda p: setattr(p, "nodes", p.nodes[:0].copy())),
        "histogram: predictors of text": _with(copy.deepcopy(fitted), _predictors=[["tree"] * 3]),
    }  # fmt: skip


def neighbours() -> dict[str, Any]:
    """Neighbour models with crafted trees, samples and answers."""
    fitted = _fit(KNeighborsClassifier(algorithm="kd_tree", leaf_size=5))
    ball = _fit(KNeighborsClassifier(algorithm="ball_tree", leaf_size=5))
    force = _fit(KNeighborsClassifier(algorithm="brute"))
    scaled = _fit(KNeighborsClassifier(algorithm="ball_tree", metric="seuclidean",
                                       metric_params={"V": np.ones(4)}))  # fmt: skip

    def tree(change: Callable[[Any], Any], of: Any = fitted) -> Any:
        model = copy.copy(of)
        model._tree = Crafted(of._tree, change)
        return model

    metric = Crafted(scaled._tree.__reduce__()[2][11],
                     lambda state: (state[0], np.ones(1), *state[2:]))  # fmt: skip
    found = {
        "kd tree: index far out": tree(item(1, put(3, 10**9))),
        "kd tree: negative index": tree(item(1, put(3, -10**9))),
        "kd tree: few indices": tree(item(1, lambda a: a[:3].copy())),
        "kd tree: node beyond": tree(item(2, put(0, 10**9, "idx_end"))),
        "kd tree: node before": tree(item(2, put(0, -10**9, "idx_start"))),
        "kd tree: leaf that is none": tree(item(2, put(slice(None), 0, "is_leaf"))),
        "kd tree: few nodes": tree(item(2, lambda a: a[:1].copy())),
        "kd tree: no nodes": tree(item(2, lambda a: a[:0].copy())),
        "kd tree: narrow bounds": tree(item(3, lambda a: a[:, :, :1].copy())),
        "kd tree: few bounds": tree(item(3, lambda a: a[:, :1].copy())),
        "kd tree: one bound": tree(item(3, lambda a: a[:1].copy())),
        "kd tree: narrow samples": tree(item(0, lambda a: a[:, :1].copy())),
        "kd tree: few samples": tree(item(0, lambda a: a[:2].copy())),
        "kd tree: short state": tree(lambda state: state[:3]),
        "kd tree: text as state": tree(lambda state: ("x",) * len(state)),
        "ball tree: index far out": tree(item(1, put(3, 10**9)), ball),
        "ball tree: leaf that is none": tree(item(2, put(slice(None), 0, "is_leaf")), ball),
        "ball tree: short weights": tree(
            lambda state: (*state[:11], metric, *state[12:]), scaled),
        "neighbours: unknown class": _with(copy.copy(force), _y=np.full(60, 10**6)),
        "neighbours: negative class": _with(copy.copy(force), _y=np.full(60, -10**6)),
        "neighbours: few answers": _with(copy.copy(force), _y=force._y[:3]),
        "neighbours: answers of text": _with(copy.copy(force), _y=np.array(["a"] * 60)),
        "neighbours: narrow samples": _with(copy.copy(force), _fit_X=ROWS[:, :1].copy()),
        "neighbours: few samples": _with(copy.copy(force), _fit_X=ROWS[:2].copy()),
        "neighbours: samples of text": _with(copy.copy(force), _fit_X=np.full((60, 4), "x")),
        "neighbours: another tree": _with(copy.copy(fitted), _tree="tree"),
        "neighbours: few classes": _with(copy.copy(force), classes_=force.classes_[:1]),
    }  # fmt: skip
    globe = KNeighborsClassifier(algorithm="ball_tree", metric="haversine").fit(
        ROWS[:, :2], CLASSES
    )
    density = KernelDensity(leaf_size=5).fit(ROWS)
    density.tree_ = Crafted(density.tree_, lambda s: (*s[:6], 1, *s[7:]))
    found |= {
        "ball tree: a distance of more columns than there are": _with(
            copy.copy(ball), _tree=Crafted(ball._tree, lambda state: (
                *state[:11], globe._tree.__reduce__()[2][11], *state[12:]))),
        "kd tree: nodes counted wrongly": tree(lambda s: (*s[:6], 1, *s[7:])),
        "kd tree: no leaf size": tree(lambda s: (*s[:4], 0, *s[5:])),
        "kd tree: of a density": density,
    }  # fmt: skip
    regressor = _fit(KNeighborsRegressor(algorithm="kd_tree"), ROWS[:, 0])
    return found | {"neighbours: few numbers": _with(regressor, _y=ROWS[:2, 0].copy())}


def vectors() -> dict[str, Any]:
    """Support vectors, centres and coefficients with a wrong width or count."""
    machine = _fit(SVC(probability=False))
    regressor = _fit(SVR(), ROWS[:, 0])
    sparse = SVC(kernel="linear").fit(scipy.sparse.csr_matrix(ROWS), CLASSES)
    centres, birch = _fit(KMeans(3, n_init=1)), _fit(Birch(n_clusters=None))
    bisecting = _fit(BisectingKMeans(3, random_state=0))
    bisecting._bisecting_tree.left.center = np.zeros(1)
    line, stochastic = _fit(LogisticRegression()), _fit(SGDClassifier(loss="log_loss"))
    coefficients = scipy.sparse.csr_matrix(stochastic.coef_)

    def indices(matrix: Any, **changes: Any) -> Any:
        matrix = matrix.copy()
        for key, value in changes.items():
            setattr(matrix, key, value)
        return matrix

    def machine_with(**changes: Any) -> Any:
        return _with(copy.copy(machine), **changes)

    return {
        "vectors: index far out": machine_with(support_=machine.support_ + 10**6),
        "vectors: few indices": machine_with(support_=machine.support_[:1]),
        "vectors: few": machine_with(support_vectors_=machine.support_vectors_[:1].copy()),
        "vectors: narrow": machine_with(support_vectors_=machine.support_vectors_[:, :1].copy()),
        "vectors: counted wrongly": machine_with(_n_support=np.array([10**6] * 3, np.int32)),
        "vectors: negative count": machine_with(_n_support=np.array([-1, 60, 0], np.int32)),
        "vectors: counted for few": machine_with(_n_support=machine._n_support[:1].copy()),
        "vectors: few weights": machine_with(_dual_coef_=machine._dual_coef_[:, :1].copy()),
        "vectors: one row of weights": machine_with(_dual_coef_=machine._dual_coef_[:1].copy()),
        "vectors: few intercepts": machine_with(_intercept_=machine._intercept_[:1].copy()),
        "vectors: odd probabilities": machine_with(_probA=np.zeros(1), _probB=np.zeros(1)),
        "vectors: half the probabilities": machine_with(_probA=np.zeros(3)),
        "vectors: few classes": machine_with(classes_=machine.classes_[:2]),
        "vectors: many classes": machine_with(classes_=np.arange(500)),
        "vectors: precomputed": machine_with(kernel="precomputed"),
        "vectors: of a regressor, few": _with(regressor,
                                              support_vectors_=np.zeros((1, 4))),
        "vectors: sparse, index far out": _with(
            copy.copy(sparse), support_vectors_=indices(
                sparse.support_vectors_, indices=sparse.support_vectors_.indices + 10**6)),
        "vectors: sparse, pointer far out": _with(
            copy.copy(sparse), support_vectors_=indices(
                sparse.support_vectors_, indptr=sparse.support_vectors_.indptr * 10**4)),
        "centres: narrow": _with(copy.copy(centres), cluster_centers_=np.zeros((3, 1))),
        "centres: wide": _with(copy.copy(centres), cluster_centers_=np.zeros((3, 400))),
        "centres: text": _with(copy.copy(centres), cluster_centers_=np.full((3, 4), "x")),
        "centres: objects": _with(copy.copy(centres),
                                  cluster_centers_=np.full((3, 4), None, dtype=object)),
        "centres: in a tree, narrow": bisecting,
        "centres: few norms": _with(birch, _subcluster_norms=np.zeros(1)),
        "coefficients: narrow": _with(copy.copy(line), coef_=line.coef_[:, :1].copy()),
        "coefficients: objects": _with(copy.copy(line), coef_=line.coef_.astype(object)),
        "coefficients: text": _with(copy.copy(line), coef_=np.full((3, 4), "x")),
        "coefficients: sparse, index far out": _with(
            copy.copy(stochastic),
            coef_=indices(coefficients, indices=coefficients.indices + 10**6)),
        "coefficients: sparse, negative index": _with(
            copy.copy(stochastic), coef_=indices(coefficients, indices=-coefficients.indices - 9)),
        "coefficients: sparse, pointer far out": _with(
            copy.copy(stochastic), coef_=indices(coefficients, indptr=coefficients.indptr * 10**6)),
        "coefficients: sparse, backwards": _with(
            copy.copy(stochastic), coef_=indices(coefficients, indptr=coefficients.indptr[::-1])),
        "coefficients: not a number": _with(copy.copy(line), coef_=line.coef_ * np.nan),
        "coefficients: for few classes": _with(copy.copy(line), coef_=line.coef_[:2].copy()),
    }  # fmt: skip


def others() -> dict[str, Any]:
    """Splines, hidden methods, disguised files, and models that contain themselves."""
    spline = make_pipeline(SplineTransformer(n_knots=3), Ridge()).fit(ROWS, ROWS[:, 0])

    def splined(**changes: Any) -> Any:
        model = copy.deepcopy(spline)
        for key, value in changes.items():
            object.__setattr__(model[0].bsplines_[0], f"_{key}", value)
            model[0].bsplines_[0].__dict__[key] = value
        return model

    line = _fit(LogisticRegression())
    itself = make_pipeline(_fit(LogisticRegression()))
    itself.steps.append(("again", itself))
    voting = _fit(VotingClassifier([("a", LogisticRegression()), ("b", LogisticRegression())]))
    voting.estimators_[0] = voting
    hidden = copy.copy(line)
    hidden.__dict__["predict_proba"] = np.log1p
    narrower = copy.copy(line)
    narrower.n_features_in_ = 3
    return {
        "spline: few weights": splined(c=np.zeros((1, 1))),
        "spline: few knots": splined(t=np.zeros(2)),
        "spline: knots backwards": splined(t=spline[0].bsplines_[0].t[::-1].copy()),
        "spline: knots of nothing": splined(t=spline[0].bsplines_[0].t * np.nan),
        "spline: negative degree": splined(k=-5),
        "spline: huge degree": splined(k=10**6),
        "a method hidden": hidden,
        "a pipeline in itself": itself,
        "a vote of itself": voting,
        "not fitted": LogisticRegression(),
        "an abstract estimator": BaseEstimator(),
        "fewer features": narrower,
        "a vectorizer of files": make_pipeline(HashingVectorizer(input="filename"), Ridge()),
        "a vectorizer of handles": make_pipeline(CountVectorizer(input="file"), Ridge()),
    }


def transformers() -> dict[str, Any]:
    """Encoders and functions that write outside their output, or leave parts of it unwritten."""
    rare = OneHotEncoder(max_categories=3, handle_unknown="ignore", sparse_output=False)
    rare.fit(np.array([[1.0], [2.0], [3.0], [12345.0]] * 5))
    far, hidden, short = (copy.deepcopy(rare) for _ in range(3))
    far._default_to_infrequent_mappings[0][-1] = 1 << 40
    hidden._default_to_infrequent_mappings[0][-1] = 1 << 40
    hidden._infrequent_indices, hidden.max_categories = [None], None
    hidden._n_features_outs = hidden._compute_n_features_outs()
    short._default_to_infrequent_mappings[0] = short._default_to_infrequent_mappings[0][:1]
    bins = KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf").fit(ROWS)
    other = copy.deepcopy(bins)
    other._encoder.categories_[0] = np.arange(1000)
    other._encoder._n_features_outs = other._encoder._compute_n_features_outs()
    forest = RandomTreesEmbedding(3, random_state=0).fit(ROWS)
    forest.one_hot_encoder_.categories_[0] = np.arange(10**6, 10**6 + 3)
    kept = FunctionTransformer(np.positive, kw_args={"where": False})
    written = FunctionTransformer(np.positive, kw_args={"out": np.zeros((1, 4))})
    typed = FunctionTransformer(np.positive, kw_args={"dtype": "S4096", "casting": "unsafe"})
    machine = _with(_fit(SVC(kernel="linear")), kernel=linear_kernel)
    sparse = _with(_fit(LogisticRegression()), n_features_in_=scipy.sparse.csr_matrix([[4]]))
    return {
        "encoder: a column far out": make_pipeline(far, Ridge()),
        "encoder: a column far out, in hiding": make_pipeline(hidden, Ridge()),
        "encoder: few columns": make_pipeline(short, Ridge()),
        "bins: of another encoder": make_pipeline(other, Ridge()),
        "embedding: leaves there are none of": make_pipeline(forest, Ridge()),
        "function: that writes nothing": make_pipeline(kept, Ridge()),
        "function: that writes elsewhere": make_pipeline(written, Ridge()),
        "function: of another type": make_pipeline(typed, Ridge()),
        "kernel: a function": machine,
        "a count that is a matrix": sparse,
        "a count that is a float": _with(_fit(LogisticRegression()), n_features_in_=4.0),
    }


def corpus() -> dict[str, Any]:
    """Every crafted model by name."""
    return (
        trees() | ensembles() | histograms() | neighbours() | vectors() | others()
        | transformers() | beyond.corpus()
    )  # fmt: skip


def version(model: Any, lookup: Any = LOOKUP_OF_FOUR, flags: Any = None, **more: Any) -> Any:
    """A version of ``model``, in memory."""
    classes = vars(model).get("classes_")
    count = 1 if classes is None else getattr(classes, "nnz", None) or len(classes)
    content = {
        MODEL: pickle.dumps(model, 5),
        LOOKUP: pickle.dumps(lookup),
        FLAGS: pickle.dumps(flags or [f"flag {i}" for i in range(count)]),
    }
    return VersionFiles(Path("crafted/1"), content, more)


def main() -> None:
    """Examine each; a crash ends the output after the name of the crashed model."""
    for name, model in corpus().items():
        print(json.dumps(name), end="\t", flush=True)
        print(json.dumps(examine(version(model), Policy()).reason), flush=True)


if __name__ == "__main__":
    sys.setrecursionlimit(1000)
    main()
