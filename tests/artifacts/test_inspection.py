"""Inspection reads a pickle as the C unpickler does, and builds nothing."""

import io
import pickle
import random
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.pickles.allowlist import AllowList, estimator_names
from predictor.artifacts.pickles.calls import CALLS
from predictor.artifacts.policy import Limits, Policy
from predictor.artifacts.unpickling import inspect_estimator, load_estimator, load_plain

ROWS = np.arange(60.0).reshape(20, 3) % 7
POLICY = Policy()
MODELS = {
    "line": LogisticRegression().fit(ROWS, ROWS[:, 0] > 2),
    "tree": DecisionTreeClassifier(random_state=np.random.RandomState(1)).fit(ROWS, ROWS[:, 0]),
    "neighbours": KNeighborsClassifier(algorithm="kd_tree").fit(ROWS, ROWS[:, 0] > 2),
}


class Recorder(pickle.Unpickler):
    """The standard C unpickler, limited to listed names; it records the names it looks up."""

    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.wanted = []

    def find_class(self, module, name):
        self.wanted.append((module, name))
        return AllowList(estimator_names()).resolve(module, name)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_it_works(model, protocol):
    data = pickle.dumps(model, protocol)
    found = inspect_estimator(data, POLICY)
    assert found.refusal == ""
    recorder = Recorder(data)
    recorder.load()
    assert recorder.wanted == found.wanted
    loaded = load_estimator("model.pkl", data, POLICY, found)
    np.testing.assert_array_equal(loaded.predict(ROWS), model.predict(ROWS))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_it_reads_what_an_older_numpy_wrote(model):
    data = pickle.dumps(model, 2)
    older = data.replace(b"cnumpy._core.", b"cnumpy.core.")
    assert older != data
    loaded = load_estimator("model.pkl", older, POLICY, inspect_estimator(older, POLICY))
    np.testing.assert_array_equal(loaded.predict(ROWS), model.predict(ROWS))


def test_it_imports_nothing(tmp_path, monkeypatch):
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    found = inspect_estimator(b"ctrap\nthing\n)R.", POLICY)
    assert "trap.thing" in found.refusal
    assert found.names == ["trap.thing"]
    assert "trap" not in sys.modules


def test_it_names_everything_a_refused_file_asks_for():
    data = b"(cos\nsystem\ncsubprocess\ncall\ncnumpy\nndarray\nl."
    found = inspect_estimator(data, POLICY)
    assert found.names == ["numpy.ndarray", "os.system", "subprocess.call"]
    assert found.refusal.startswith("asks for os.system")


@pytest.mark.slow
@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_it_agrees_with_the_c_unpickler_on_damaged_files(model, protocol):
    """For every accepted pickle, the C unpickler looks up the same names in the same order."""
    chance, data = random.Random(protocol), pickle.dumps(model, protocol)
    passed = 0
    for _ in range(400):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 5))):
            at = chance.randrange(len(damaged))
            change = chance.choice(("set", "drop", "double"))
            if change == "set":
                damaged[at] = chance.randrange(256)
            elif change == "drop":
                del damaged[at : at + chance.choice((1, 1, 4))]
            else:
                damaged[at:at] = damaged[at : at + chance.choice((1, 2, 30))]
        found = inspect_estimator(bytes(damaged), POLICY)
        if found.refusal:
            continue
        passed += 1
        recorder = Recorder(bytes(damaged))
        try:
            recorder.load()
        except Exception:  # noqa: BLE001 - any error may occur; lookups before it count
            assert recorder.wanted == found.wanted[: len(recorder.wanted)]
        else:
            assert recorder.wanted == found.wanted
    assert passed > 5


def test_no_listed_function_can_be_called_but_the_few():
    """A pickle may call only classes, and constructors whose arguments are checked."""
    allowed = AllowList(estimator_names())
    kinds = {"estimator", "plain", "compiled", "argument", "type"}
    for (module, name), kind in estimator_names().items():
        assert kind in kinds | {"call", "constant", "function", "elementwise"}
        if kind in kinds:
            assert isinstance(allowed.resolve(module, name), type), (module, name)
        elif kind == "call":
            assert (module, name) in CALLS
    assert len(CALLS) < 30


def test_every_listed_name_is_its_own():
    """No name on the list is a module, or leads to one of another module."""
    allowed = AllowList(estimator_names())
    for module, name in estimator_names():
        found = allowed.resolve(module, name)
        assert not hasattr(found, "__path__")
        assert not hasattr(found, "__loader__")
        assert "." not in name


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_files_hold_containers_arrays_text_and_numbers(protocol):
    from collections import OrderedDict

    lookup = OrderedDict(a={"x": 0, np.str_("ÿ"): np.int64(1)}, b=np.float64(2.5), c=-3)
    cities = np.array(["York", "Łódź"], dtype=object)
    data = pickle.dumps(lookup | {"d": cities}, protocol)
    loaded = load_plain("lookup.pkl", data, Limits())
    assert loaded.pop("d") == cities.tolist()
    assert loaded == lookup
    assert type(loaded) is OrderedDict


@pytest.mark.parametrize(
    "thing",
    [LogisticRegression(), pd.Series([1]), slice(1), b"".join, np.float64, Exception("x")],
    ids=lambda thing: type(thing).__name__,
)
def test_plain_files_hold_nothing_else(thing):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(ArtifactError, match=r"lookup\.pkl asks for"):
            load_plain("lookup.pkl", pickle.dumps(thing, protocol), Limits())


def test_the_list_itself_imports_nothing_that_is_not_on_it():
    """Loading checks again: it does not rely on the earlier inspection."""
    with pytest.raises(pickle.UnpicklingError, match=r"os\.system is not on the list"):
        AllowList(estimator_names()).resolve("os", "system")
