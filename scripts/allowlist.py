"""Write ``predictor/artifacts/pickles/allowlist.json``: what an estimator's pickle may name.

    .venv/bin/python -m scripts.allowlist

The list is generated from the installed scikit-learn, so generate it again (and review the change)
when the pinned version changes. It has no functions that loading may call: these few are in
``predictor/artifacts/pickles/calls.py``, each with a check of its arguments.
"""

import importlib
import inspect
import json
import pickle
import pickletools
import pkgutil
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import scipy.interpolate
import scipy.sparse
import sklearn
from sklearn.base import BaseEstimator
from sklearn.gaussian_process.kernels import Kernel

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "predictor" / "artifacts" / "pickles" / "allowlist.json"

# Parts of scikit-learn that no fitted estimator needs, or that run code on import.
_PASSED_OVER = (
    "tests", "conftest", "datasets", "experimental", "externals", "_mocking", "_test_common",
)  # fmt: skip

# Modules with plain classes (created empty, then given a dictionary of attributes) in estimators.
_PLAIN_CLASS_MODULES = (
    "sklearn._loss.link",
    "sklearn._loss.loss",
    "sklearn.calibration",
    "sklearn.cluster._birch",
    "sklearn.cluster._bisect_k_means",
    "sklearn.ensemble._hist_gradient_boosting.predictor",
    "sklearn.metrics._scorer",
    "sklearn.model_selection._split",
    "sklearn.neural_network._stochastic_optimizers",
    "sklearn.utils._metadata_requests",
)
_PLAIN_CLASSES = (
    ("sklearn.compose._column_transformer", "make_column_selector"),
    ("sklearn.utils._bunch", "Bunch"),
)

# Compiled types, as arguments of the constructor that calls.py lists for each module.
_COMPILED_MODULES = (
    "sklearn._loss._loss",
    "sklearn.linear_model._sgd_fast",
    "sklearn.metrics._dist_metrics",
    "sklearn.neighbors._ball_tree",
    "sklearn.neighbors._kd_tree",
)
# A distance that calls any Python function, and base classes and workspaces in no estimator.
_NOT_COMPILED = (
    "PyFunc", "DistanceMetric", "BinaryTree", "NodeHeap", "NeighborsHeap", "CyLossFunction",
    "Classification", "Regression",
)  # fmt: skip

# Functions that estimators keep as parameters, which compute numbers from numbers.
_FUNCTION_MODULES = ("sklearn.metrics", "sklearn.metrics.pairwise", "sklearn.feature_selection")
_FUNCTION_ENDINGS = (
    "_score", "_loss", "_error", "_deviance", "_kernel", "_distances", "_similarity",
    "_regression", "_classif", "_pinball_score", "chi2",
)  # fmt: skip
_FUNCTIONS = (
    ("scipy._lib.array_api_compat.numpy._aliases", "asarray"),
    ("sklearn.cluster._kmeans", "_kmeans_single_elkan"),
    ("sklearn.cluster._kmeans", "_kmeans_single_lloyd"),
    ("sklearn.utils.validation", "check_array"),
)
_NUMPY_FUNCTIONS = ("clip", "mean", "median", "nan_to_num", "round")
_CONSTANTS = (("pandas", "NA"),)  # the missing value of an imputer
_SPARSE = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")


def modules() -> Iterator[ModuleType]:
    """scikit-learn's modules, except its tests and data sets."""
    for found in pkgutil.walk_packages(sklearn.__path__, "sklearn.", onerror=lambda _: None):
        if any(part in _PASSED_OVER for part in found.name.split(".")):
            continue
        try:
            yield importlib.import_module(found.name)
        except ImportError:  # needs an optional library that is not installed
            continue


def classes_of(module: ModuleType) -> Iterator[type]:
    """The classes that ``module`` itself defines."""
    for value in vars(module).values():
        if inspect.isclass(value) and value.__module__ == module.__name__:
            yield value


def pickled_as(value: Any) -> tuple[str, str]:
    """The module and name that pickle writes for a class or function."""
    words = [
        arg for op, arg, _ in pickletools.genops(pickle.dumps(value, 4)) if isinstance(arg, str)
    ]
    return words[0], words[1]


def estimators() -> set[tuple[str, str]]:
    """Every subclass of BaseEstimator, including private ones."""
    return {
        (cls.__module__, cls.__name__)
        for module in modules()
        for cls in classes_of(module)
        if issubclass(cls, BaseEstimator)
    }


def plain_classes() -> set[tuple[str, str]]:
    """Classes without compiled parts that fitted estimators hold."""
    named = [importlib.import_module(name) for name in _PLAIN_CLASS_MODULES]
    found = {
        (cls.__module__, cls.__name__)
        for module in named
        for cls in classes_of(module)
        if not cls.__name__.endswith(("Mixin", "Display"))
        and not issubclass(cls, BaseException)
        and not inspect.isabstract(cls)
    }
    return found | kernels() | sparse() | {*_PLAIN_CLASSES, pickled_as(scipy.interpolate.BSpline)}


def kernels() -> set[tuple[str, str]]:
    """The kernels of Gaussian processes."""
    module = importlib.import_module(Kernel.__module__)
    return {(c.__module__, c.__name__) for c in classes_of(module) if issubclass(c, Kernel)}


def sparse() -> set[tuple[str, str]]:
    """The sparse matrices and arrays of scipy."""
    return {
        pickled_as(getattr(scipy.sparse, f"{kind}_{shape}"))
        for kind in _SPARSE
        for shape in ("matrix", "array")
    }


def compiled() -> set[tuple[str, str]]:
    """Compiled distances, losses and neighbour trees."""
    named = [importlib.import_module(name) for name in _COMPILED_MODULES]
    return {
        (cls.__module__, cls.__name__)
        for module in named
        for cls in classes_of(module)
        if not cls.__name__.startswith(_NOT_COMPILED)
    }


def functions() -> set[tuple[str, str]]:
    """Metrics, kernels and the like."""
    found = set(_FUNCTIONS)
    for module in map(importlib.import_module, _FUNCTION_MODULES):
        for name in module.__all__ if hasattr(module, "__all__") else vars(module):
            value = getattr(module, name)
            if inspect.isfunction(value) and name.endswith(_FUNCTION_ENDINGS):
                found.add(pickled_as(value))
    return {(module, name) for module, name in found if module.startswith(("sklearn.", "scipy."))}


def elementwise() -> set[tuple[str, str]]:
    """Element-wise functions of numpy: what a FunctionTransformer may apply."""
    ufuncs = {value for value in vars(np).values() if isinstance(value, np.ufunc)}
    return {pickled_as(f) for f in ufuncs | {getattr(np, name) for name in _NUMPY_FUNCTIONS}}


def types() -> set[tuple[str, str]]:
    """Types that estimators use as parameters, such as an encoder's dtype."""
    scalars = {
        value
        for value in vars(np).values()
        if inspect.isclass(value) and issubclass(value, np.generic)
    }
    builtin = {
        ("builtins", name) for name in ("bool", "dict", "float", "int", "list", "object", "str")
    }
    return {pickled_as(scalar) for scalar in scalars} | builtin


def grouped(names: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """``names`` by module, sorted."""
    table: dict[str, list[str]] = {}
    for module, name in sorted(names):
        table.setdefault(module, []).append(name)
    return table


def main() -> None:
    """Write the table."""
    warnings.simplefilter("ignore")  # deprecated modules warn when imported
    found = estimators()
    table = {
        "scikit-learn": sklearn.__version__,
        "estimator": grouped(found),
        "plain": grouped(plain_classes() - found),
        "compiled": grouped(compiled()),
        "function": grouped(functions()),
        "elementwise": grouped(elementwise()),
        "type": grouped(types()),
        "constant": grouped(_CONSTANTS),
    }
    TARGET.write_text(json.dumps(table, indent=1) + "\n")
    counts = {
        kind: sum(map(len, group.values()))
        for kind, group in table.items()
        if kind != "scikit-learn"
    }
    print(f"{TARGET.name}: scikit-learn {sklearn.__version__}, {counts}")


if __name__ == "__main__":
    main()
