"""Import everything an estimator may need, before the process can no longer open files."""

import encodings.ascii
import encodings.latin_1
import encodings.raw_unicode_escape
import encodings.utf_32_be
import encodings.utf_32_le  # noqa: F401 - text inside pickles
import importlib
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

# Byte strings in the pickle of a model that was fitted on a data frame.
_WANTS_PANDAS = (b"feature_names_in_", b"pandas")
# scikit-learn imports these where they are installed, and no estimator needs them: a third of the
# template's memory and of its start.
_NEEDLESS = ("pandas", "pytest", "rich")


def import_scikit_learn() -> None:
    """Import all of scikit-learn: its modules import others when they are first called.

    No estimator runs here: a library that has started threads would hang in a fork of this process.
    """
    with warnings.catch_warnings(), _without(_NEEDLESS):
        warnings.simplefilter("ignore")
        import sklearn.experimental.enable_halving_search_cv  # noqa: PLC0415 - half a second
        import sklearn.experimental.enable_iterative_imputer  # noqa: F401, PLC0415
        from sklearn.utils import all_estimators  # noqa: PLC0415
        from sklearn.utils.parallel import _get_threadpool_controller  # noqa: PLC0415

        all_estimators()
        _get_threadpool_controller()  # else KMeans looks for libraries in /proc
    # the code that examines, tabulates and scores
    from . import estimators, examination, tabulation  # noqa: F401, PLC0415
    from .pickles.allowlist import estimator_names  # noqa: PLC0415

    estimator_names()  # reads its list from a file


@contextmanager
def _without(names: Iterable[str]) -> Iterator[None]:
    """Let these look as if they were not installed, unless they have been imported already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type] # None forbids the import
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def import_for(model: bytes, modules: Iterable[str]) -> None:
    """Import what only some models need: pandas, and the operator's other libraries.

    The bytes are searched, not unpickled; a model that hides a name here is refused later.
    """
    named = [module for module in modules if module.encode() in model]
    # XGBoost and an owner's own classes do not pickle the names of a data frame's columns
    if named or any(sign in model for sign in _WANTS_PANDAS):
        _use_a_frame()
    for module in named:
        importlib.import_module(module)


def _use_a_frame() -> None:
    """Use pandas once: it and its bridge to scikit-learn import more modules at first use."""
    import pandas as pd  # noqa: PLC0415 - 40 MB and half a second
    from sklearn.compose import make_column_transformer  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: PLC0415

    frame = pd.DataFrame.from_records([("a", 0.5), ("b", 1.5)], columns=["text", "number"])
    steps = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["text"]), (StandardScaler(), ["number"])
    )
    steps.set_output(transform="pandas").fit_transform(frame.astype({"text": "category"}))
