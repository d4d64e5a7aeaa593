"""Every refusal ends with what to do next, ready to paste."""

import gzip
import pickle

import pandas as pd
import pytest
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.examination import examine
from predictor.artifacts.files import read_version
from predictor.artifacts.policy import Policy
from tests import bundles
from tests.artifacts.own_functions import since_2026


def folder_with(root, model=None, file="model.pkl"):
    folder = bundles.install(root)
    (folder / "metadata.json").unlink()
    (folder / "model.pkl").unlink()
    (folder / file).write_bytes(model)
    return folder


def reason(folder, policy=None):
    try:
        return examine(read_version(folder), policy or Policy()).reason
    except ArtifactError as error:
        return str(error)


def named(module, name):
    return f"c{module}\n{name}\n.".encode()


FITTED = pickle.dumps(bundles.fitted())
CASES = {
    "packed": (gzip.compress(FITTED), "model.pkl", 'pickle.dump(joblib.load("model.joblib")'),
    "by joblib": (named("joblib.numpy_pickle", "NumpyArrayWrapper"), "model.pkl", "joblib.load("),
    "named by joblib": (FITTED, "model.joblib", 'pickle.dump(joblib.load("model.joblib")'),
    "named as packed": (FITTED, "model.pkl.gz", 'pickle.dump(joblib.load("model.pkl.gz")'),
    "in a dictionary": (pickle.dumps({"v": 1, "model": bundles.fitted()}), "model.pkl",
                        'pickle.dump(d["model"]'),
    "in a list": (pickle.dumps([1, bundles.fitted()]), "model.pkl", "pickle.dump(d[1]"),
    "of a package of one's own": (named("mylib.features", "Encoder"), "model.pkl",
                                  "MODEL_ALLOW_MODULES=mylib.features"),
    "of a notebook": (named("__main__", "f"), "model.pkl", "MODEL_ALLOW_MODULES=mylib.features"),
    "of pandas": (named("pandas", "Index"), "model.pkl", "list(table.columns)"),
    "of numpy, but no plain function": (named("numpy", "ravel"), "model.pkl", "mylib/features.py"),
    "of another library": (named("lightgbm.sklearn", "LGBMClassifier"), "model.pkl",
                           "MODEL_ALLOW_MODULES=lightgbm.sklearn"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_says_what_to_do(tmp_path, name):
    model, file, step = CASES[name]
    assert step in reason(folder_with(tmp_path, model, file))


PLAIN = {
    "a series in the lookup": ("lookup", {"x": pd.Series({"a": 0})}, '{"city": list(cities)'),
    "a type in the lookup": ("lookup", {"x": float}, '"age": 0}'),
    "labels by their codes": ("lookup", {"x": {0: "a", 1: "b"}}, "{label: code for code, label in"),
    "a list of numbers": ("lookup", {"x": [2024, 2025]}, "{'2024': 2024, '2025': 2025}"),
    "flags as a series": ("flags", pd.Series(["a", "b"]), "list(map(str, model.classes_))"),
    "flags as a text": ("flags", "price", "['price']"),
    "lists of names by a name": ("flags", {"species": ["a", "b"]}, "{class: name}"),
    "two names of a code": ("flags", {"a": 0, "b": 0}, "{class: name}"),
    "names that may be classes": ("flags", {"1": 0, "0": 1}, "{class: name}"),
    "a flag of two": ("flags", ["escapes"], "list(map(str, model.classes_))"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_it_says_what_a_lookup_and_flags_are(tmp_path, name):
    part, thing, step = PLAIN[name]
    folder = folder_with(tmp_path, FITTED)
    (folder / f"{part}.pkl").write_bytes(pickle.dumps(thing))
    assert step in reason(folder)


@pytest.mark.parametrize("step", [SelectKBest(), ColumnTransformer([("x", "passthrough", [0])])])
def test_it_says_that_a_pipeline_was_not_fitted(tmp_path, step):
    model = make_pipeline(step, LogisticRegression())
    assert "call fit" in reason(folder_with(tmp_path, pickle.dumps(model)))


@pytest.mark.parametrize("module", ["os", "posix", "builtins", "numpy.testing", "a b", "../x"])
def test_it_never_advises_to_let_in_what_runs_anything(tmp_path, module):
    said = reason(folder_with(tmp_path, named(module, "system")))
    assert "MODEL_ALLOW_MODULES" not in said


def test_the_version_is_judged_before_the_names(tmp_path):
    """Like boosting models of scikit-learn 1.8, whose losses have names that no longer exist."""
    running = sklearn.__version__
    old = pickle.dumps(bundles.fitted()).replace(running.encode(), b"1.8.0")
    old = old.replace(b"sklearn.linear_model._logistic", b"sklearn.linear_model._legistic")
    said = reason(folder_with(tmp_path, old))
    assert "made with scikit-learn 1.8.0, and this server runs " + running in said
    assert f"pip install scikit-learn=={running}" in said


def test_functions_of_allowed_modules_count_like_their_classes(tmp_path):
    model = pickle.dumps(FunctionTransformer(since_2026))
    folder = folder_with(tmp_path, model)
    assert f"MODEL_ALLOW_MODULES={since_2026.__module__}" in reason(folder)
    allowed = Policy(modules=frozenset({since_2026.__module__}))
    assert since_2026.__module__ not in reason(folder, allowed)
