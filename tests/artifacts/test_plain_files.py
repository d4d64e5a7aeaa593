"""lookup.pkl and flags.pkl: plain data, in the contract's shape, or a sentence."""

import pickle
import time
from collections import OrderedDict, defaultdict

import numpy as np
import pytest

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.examination import read_contract
from predictor.artifacts.files import FLAGS, LOOKUP, VersionFiles
from predictor.artifacts.policy import Limits, Policy
from predictor.artifacts.unpickling import load_plain
from tests.artifacts import hostile
from tests.artifacts.assembly import ways, whole
from tests.artifacts.gadgets import gadgets


def contract(lookup, flags=("a", "b"), metadata=None):
    content = {LOOKUP: pickle.dumps(lookup), FLAGS: pickle.dumps(flags)}
    return read_contract(VersionFiles(None, content, metadata or {}), Policy())


def laughing():
    thing = ("ha",)
    for _ in range(60):
        thing = (thing, thing)
    return thing


def itself():
    thing = {}
    thing["x"] = thing
    return thing


def test_it_works():
    found = contract(
        OrderedDict({np.str_("city"): {"Gotham": np.int8(1), "Ü": 2.5}, "hour": np.float32(0)}),
        [np.str_("a"), "b"],
    )
    assert [feature.name for feature in found.features] == ["city", "hour"]
    assert found.features[0].labels == {"Gotham": 1, "Ü": 2.5}
    assert found.flag_names == ["a", "b"]


@pytest.mark.parametrize("protocol", range(3, pickle.HIGHEST_PROTOCOL + 1))
def test_it_reads_arrays_and_numbers_of_numpys_as_numpy_does(protocol):
    names = np.array(["Gotham", "Blüdhaven", "東京 🦇", ""])
    arrays = [
        names, names.astype(">U9"), names.astype(object), names[:0], names.astype("U0"),
        np.array("one"), np.array([True, False]), np.asfortranarray(names), names[::2],
        *(np.array([-3, 0, 5], kind) for kind in ("i1", "i2", "<i4", ">i8", "f2", "f4", ">f8")),
        *(np.array([3, 0, 250], kind) for kind in ("u1", ">u2", "u4", "u8")),
    ]  # fmt: skip
    for array in arrays:
        assert load_plain(FLAGS, pickle.dumps(array, protocol), Limits()) == array.tolist()
        for cell in array.ravel() if array.dtype != object else ():
            found = load_plain(LOOKUP, pickle.dumps([cell], protocol), Limits())
            assert found == [cell.item()]
            assert type(found[0]) is type(cell.item())


@pytest.mark.parametrize(
    "thing",
    [names := np.array([["a"], ["b"]]), names.astype("S1"), np.array([1j]), np.array(["x"], "S"),
     np.frombuffer(b"\xff" * 8, "<U1")],
)  # fmt: skip
def test_it_reads_no_other_arrays(thing):
    with pytest.raises(ArtifactError, match=r"^flags\.pkl "):
        load_plain(FLAGS, pickle.dumps(thing), Limits())


@pytest.mark.parametrize("way", ways("os", "system", ("true",)))
def test_it_rejects_every_gadget(tmp_path, way):
    marker = tmp_path / "marker"
    for module, name, args in gadgets(marker):
        with pytest.raises(ArtifactError, match=r"^lookup\.pkl "):
            load_plain(LOOKUP, ways(module, name, args)[way], Limits())
        assert not marker.exists(), (module, name)


@pytest.mark.parametrize(
    "corpus",
    [
        hostile.opcodes,
        hostile.changes,
        hostile.arrays,
        hostile.unlisted,
        pytest.param(hostile.bombs, marks=pytest.mark.slow),
    ],
)
def test_it_rejects_hostile_files(corpus):
    for data in corpus().values():
        with pytest.raises(ArtifactError, match=r"^lookup\.pkl "):
            load_plain(LOOKUP, data, Limits(steps=hostile.STEPS))


@pytest.mark.parametrize(
    "lookup",
    [
        None, 5, "city", [], {}, set(), ["city"], {"city": None}, {"city": []}, {"city": {}},
        {"city": "Gotham"}, {"city": [1, 2]}, {"city": {"Gotham": None}}, {"city": {"Gotham": ""}},
        {"city": {"Gotham": [1]}}, {"city": {"Gotham": float("nan")}}, {"hour": float("inf")},
        {"city": {"Gotham": 10**400}}, {"hour": 10**400}, {"city": {"Gotham": 1j}},
        {"city": {"Gotham": laughing()}}, {"city": laughing()}, {None: 0}, {("a",): 0},
        {1: 0, "1": 0}, {b"city": 0}, {"": 0}, {"  ": 0},
        {"a\nb": 0}, {"a\x00": 0}, {"\udc80": 0}, {"x" * 501: 0},
        {"city": {"": 0}}, {"city": {"\t": 0}}, {"city": {1: 0, "1": 0}}, {"city": {"\ud800": 0}},
        {"city": {"x" * 501: 0}}, itself(), {"city": itself()},
        {f"f{i}": 0 for i in range(1001)}, {"city": {str(i): i for i in range(10_001)}},
        {"a": 0}, frozenset(["x"]), b"bytes", 1.5,
    ],
    ids=range(45),
)  # fmt: skip
def test_it_rejects_wrong_lookups(lookup):
    with pytest.raises(ArtifactError) as refused:
        contract(lookup)
    assert 10 < len(str(refused.value)) < 1000
    assert "\x00" not in str(refused.value)


@pytest.mark.parametrize(
    "flags",
    [
        None, 5, "ab", [], {}, {"1": 1}, {"a", "b"}, [1, 1], ["a", None], ["a", ""], ["a", " "],
        ["a", "a"], ["a", b"b"], ["a", "\x07"], ["a", "\udfff"], ["a", ["b"]], ["x" * 501],
        [str(i) for i in range(10_001)], ["a", laughing()], [1, "1"], ["hour", "b"],
    ],
    ids=range(21),
)  # fmt: skip
def test_it_rejects_wrong_flags(flags):
    with pytest.raises(ArtifactError) as refused:
        contract({"hour": 0}, flags)
    assert 10 < len(str(refused.value)) < 1000


def test_it_rejects_subclasses_of_containers():
    with pytest.raises(ArtifactError, match=r"asks for collections\.defaultdict"):
        contract(defaultdict(dict, city={"a": 1}))


def test_it_reads_numbers_in_text_as_the_c_unpickler_does():
    """Octal to the one and decimal to the other would be two files in one."""
    for text in (b"I010\n.", b"I-07\n.", b"F1_0\n."):
        with pytest.raises(ArtifactError, match="an invalid number"):
            load_plain(LOOKUP, text, Limits())


@pytest.mark.slow
def test_it_rejects_a_million_labels_quickly():
    lookup = pickle.dumps({"city": {str(i): i for i in range(1_000_000)}})
    started = time.process_time()
    with pytest.raises(ArtifactError):
        read_contract(VersionFiles(None, {LOOKUP: lookup, FLAGS: whole(b"]")}, {}), Policy())
    assert time.process_time() - started < 10
