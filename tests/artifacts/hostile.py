"""Hostile files: inspection alone refuses each, before any object is built."""

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib
from functools import cache
from typing import Any

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from tests.artifacts.assembly import called, changed, name, value, whole

STEP = ("sklearn.impute._iterative", "_ImputerTriplet")
LINE = ("sklearn.linear_model._logistic", "LogisticRegression")
EMPTY_LINE = name(*LINE) + b")\x81"
DTYPE = called("numpy", "dtype", "f8", False, True)
WHOLE_NUMBERS = changed(called("numpy", "dtype", "i8", False, True),
                        (3, "<", None, None, None, -1, -1, 0))  # fmt: skip
SIMPLE = changed(DTYPE, (3, "<", None, None, None, -1, -1, 0))


def with_state(**state: Any) -> bytes:
    """A LogisticRegression with these attributes."""
    items = b"".join(value(key) + value(given) for key, given in state.items())
    return whole(EMPTY_LINE + b"}(" + items + b"ub", 4)


def fitted() -> LogisticRegression:
    rows = np.arange(40.0).reshape(20, 2) % 7
    return LogisticRegression().fit(rows, rows[:, 0] > 2)


@cache
def opcodes() -> dict[str, bytes]:
    """Opcodes that no pickler writes for a model, alone and inside a model."""
    alone = {
        "PERSID": b"Pabc\n.",
        "BINPERSID": b"\x80\x02Nq\x00Q.",
        "EXT1": b"\x80\x02\x82\x01.",
        "EXT2": b"\x80\x02\x83\x01\x00.",
        "EXT4": b"\x80\x02\x84\x01\x00\x00\x00.",
        "DUP": b"\x80\x02N2\x86.",
        "POP": b"\x80\x02NN0.",
        "NEXT_BUFFER": b"\x80\x05\x97.",
        "READONLY_BUFFER": b"\x80\x05\x97\x98.",
        "STRING": b"S'text'\n.",
        "BINSTRING": b"T\x01\x00\x00\x00x.",
        "SHORT_BINSTRING": b"U\x01x.",
        "LONG4": b"\x80\x02\x8b\x01\x00\x00\x00\x05.",
        "unknown": b"\x80\x02\xff.",
        "protocol 6": b"\x80\x06N.",
        "protocol 255": b"\x80\xffN.",
    }
    inside = {f"{key} in a model": with_state(x=data[:-1].removeprefix(b"\x80\x02"))
              for key, data in alone.items() if not key.startswith("protocol")}  # fmt: skip
    return alone | inside


@cache
def changes() -> dict[str, bytes]:
    """Attempts to change the process: a state or items set on functions, classes and modules."""
    harmless = name("numpy", "absolute")
    check_array = name("sklearn.utils.validation", "check_array")
    defaults = b"N}" + value("__defaults__") + value(()) + b"s\x86"
    attribute = b"N}" + value("predict_proba") + harmless + b"s\x86"
    targets = {
        "function": check_array,
        "class": name(*LINE),
        "tree class": name("sklearn.tree._tree", "Tree"),
        "ufunc": harmless,
        "numpy type": name("numpy", "float64"),
        "ndarray": name("numpy", "ndarray"),
        "dtype constructor": name("numpy", "dtype"),
        "partial": name("functools", "partial"),
        "builtin": name("builtins", "dict"),
        "OrderedDict": name("collections", "OrderedDict"),
    }
    found = {}
    for key, target in targets.items():
        found[f"BUILD of defaults on a {key}"] = whole(target + defaults + b"b")
        found[f"BUILD of an attribute on a {key}"] = whole(target + attribute + b"b")
        found[f"BUILD of a dictionary on a {key}"] = whole(
            target + b"}" + value("x") + value(1) + b"sb"
        )
        found[f"SETITEM on a {key}"] = whole(target + value("x") + value(1) + b"s")
        found[f"APPEND to a {key}"] = whole(target + value(1) + b"a")
        found[f"{key} kept in a model"] = with_state(x=target)
    for key in ("ufunc", "numpy type", "function", "builtin"):  # these may be parameters
        del found[f"{key} kept in a model"]
    transformer = name("sklearn.preprocessing._function_transformer", "FunctionTransformer")
    score = name("sklearn.metrics._regression", "r2_score")
    late = value("x") + transformer + b")\x81}q\x07" + value("func") + score + b"sb"
    return found | {
        "a function put right after BUILD": whole(
            EMPTY_LINE + b"}(" + late + value("y") + b"h\x07" + value("func") + b"Nsub"
        ),
        "BUILD on a method": whole(name(LINE[0], "LogisticRegression.fit") + defaults + b"b"),
        "BUILD twice": whole(EMPTY_LINE + b"}b}b"),
        "BUILD on a list": whole(b"]}b"),
        "BUILD on text": whole(value("x") + b"}b"),
        "BUILD with slots": whole(EMPTY_LINE + attribute + b"b"),
        "BUILD with text": whole(EMPTY_LINE + value("x") + b"b"),
        "BUILD with numbers as names": whole(EMPTY_LINE + b"}K\x01K\x01sb"),
        "BUILD of the class": with_state(__class__=name("numpy", "ndarray")),
        "BUILD of the dictionary": with_state(__dict__={}),
        "BUILD of __setstate__": with_state(__setstate__=harmless),
        "os.environ": whole(name("os", "environ") + value("X") + value("1") + b"s"),
        "items of a model": whole(EMPTY_LINE + value("x") + value(1) + b"s"),
        "items of an array": whole(_array(b"]") + value(0) + value(1) + b"s"),
        "appended to a model": whole(EMPTY_LINE + value(1) + b"a"),
        "added to a list": whole(b"](K\x01\x90", 4),
        "a class as a value": with_state(x=name(*LINE)),
        "a constructor as a value": with_state(x=name("copyreg", "_reconstructor")),
        "a compiled class as a value": with_state(x=name("sklearn.neighbors._kd_tree", "KDTree")),
        "a value that is called": whole(called("sklearn.utils.validation", "check_array", [[1]])),
        "a ufunc that is called": whole(called("numpy", "absolute", 1)),
        "a type that is called": whole(called("builtins", "list", [1])),
        "a numpy type that is called": whole(called("numpy", "float64", 1)),
        "an estimator that is called": whole(called(*LINE)),
        "an estimator with arguments": whole(name(*LINE) + value((1,)) + b"\x81"),
        "a result that is called": whole(EMPTY_LINE + b")R"),
        "an object of an object": whole(EMPTY_LINE + b")\x81"),
        "partial of eval": whole(called("functools", "partial", name("builtins", "eval"))),
        "partial of a type": whole(called("functools", "partial", name("builtins", "list"))),
        "partial changed to eval": whole(
            called("functools", "partial", check_array)
            + b"(" + name("numpy", "absolute") + b")}Ntb"
        ),
        "partial given arguments": whole(
            called("functools", "partial", check_array) + b"(" + check_array + value((1,)) + b"}Ntb"
        ),
        "reconstructor of a type": whole(
            called("copyreg", "_reconstructor", name("builtins", "dict"),
                   name("builtins", "object"), None)),
        "reconstructor of a number": whole(
            called("copyreg", "_reconstructor", name(*LINE), name("builtins", "int"), 5)),
        "reconstructor of a list": whole(
            called("copyreg", "_reconstructor", name(*LINE), name("builtins", "list"), [1])),
        "encode with another codec": whole(called("_codecs", "encode", "x", "rot13")),
        "encode without a codec": whole(called("_codecs", "encode", "x")),
        "bytes of a number": whole(called("builtins", "bytes", 2**40)),
        "bytearray of a number": whole(called("builtins", "bytearray", 2**40)),
        "slice of objects": whole(called("builtins", "slice", EMPTY_LINE)),
        "set of a number": whole(called("builtins", "set", 1)),
        "set of lists": whole(called("builtins", "set", [[1]])),
        "OrderedDict of pairs": whole(called("collections", "OrderedDict", [["a", 1]])),
        "defaultdict of a function": whole(called("collections", "defaultdict", check_array)),
        "random class": whole(called("numpy.random._pickle", "__bit_generator_ctor",
                                     name("numpy", "float64"))),
        "random name": whole(called("numpy.random._pickle", "__bit_generator_ctor", "os.system")),
        "seed of another class": whole(
            called("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence", name(*LINE), 1,
                   None)),
        "newObj of an estimator": whole(
            called("sklearn.neighbors._kd_tree", "newObj", name(*LINE))),
        "newObj of another module": whole(
            called("sklearn.neighbors._kd_tree", "newObj",
                   name("sklearn.metrics._dist_metrics", "EuclideanDistance64"))),
        "a step of an imputer, empty": whole(name(*STEP) + b")\x81"),
        "a step of an imputer, of text": whole(
            name(*STEP) + value(("os", "system", "true")) + b"\x81"),
        "a step of an imputer, of a function": whole(
            name(*STEP) + b"(K\x01" + _array(_bytes(b"8" * 8), dtype=WHOLE_NUMBERS)
            + name("numpy", "absolute") + b"t\x81"),
        "a dtype as an object": whole(
            name("numpy", "dtype") + value(("f8", False, True)) + b"\x81"),
        "a set as an object": whole(name("builtins", "set") + b"(]t\x81"),
        "loss of text": whole(called("sklearn._loss._loss", "CyPinballLoss", "0.5")),
    }  # fmt: skip


def _array(data: bytes, shape: Any = (1,), dtype: bytes = SIMPLE, first: Any = 1) -> bytes:
    made = called("numpy._core.multiarray", "_reconstruct", name("numpy", "ndarray"), (0,),
                  b"C\x01b")  # fmt: skip
    return made + b"(" + value(first) + value(shape) + dtype + b"\x89" + data + b"tb"


def _bytes(data: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(data)) + data


@cache
def arrays() -> dict[str, bytes]:
    """Arrays, types and scalars whose descriptions do not match their bytes."""
    objects = changed(called("numpy", "dtype", "O8", False, True),
                      (3, "|", None, None, None, -1, -1, 63))  # fmt: skip
    record = called("numpy", "dtype", "V8", False, True)
    field = b"(" + SIMPLE + value(0) + b"t"

    def fields(one: bytes, itemsize: Any = 8, flags: Any = 0) -> bytes:
        return record + b"(" + b"".join([
            value(3), value("|"), b"N", value(("a",)), b"}" + value("a") + one + b"s",
            value(itemsize), value(1), value(flags),
        ]) + b"tb"  # fmt: skip

    forged = {
        "itemsize of a float": changed(DTYPE, (3, "<", None, None, None, 1000, 1, 0)),
        "flags of an object": changed(DTYPE, (3, "|", None, None, None, -1, -1, 63)),
        "object without flags": changed(
            called("numpy", "dtype", "O8", False, True), (3, "|", None, None, None, -1, -1, 0)),
        "text longer than said": changed(
            called("numpy", "dtype", "U4", False, True), (3, "<", None, None, None, 4000, 4, 8)),
        "version 4": changed(DTYPE, (4, "<", None, None, None, -1, -1, 0, {})),
        "byte order": changed(DTYPE, (3, "x", None, None, None, -1, -1, 0)),
        "subtype": changed(DTYPE, (3, "<", ("f8", (1000,)), None, None, -1, -1, 0)),
        "names": changed(DTYPE, (3, "<", None, ("a",), {"a": 1}, 8, 1, 0)),
        "field far out": fields(b"(" + SIMPLE + value(2**31) + b"t"),
        "field before": fields(b"(" + SIMPLE + value(-8) + b"t"),
        "field of an object": fields(b"(" + objects + value(0) + b"t"),
        "field of nothing": fields(b"N"),
        "record too long": fields(field, itemsize=800),
        "record with flags": fields(field, flags=63),
        "short state": changed(DTYPE, (3, "<")),
        "list as state": changed(DTYPE, [3, "<"]),
        "size in text": called("numpy", "dtype", "f8,f8", False, True),
        "date": called("numpy", "dtype", "M8[ns]", False, True),
        "huge": called("numpy", "dtype", "V9999999999", False, True),
        "dictionary": called("numpy", "dtype", {"names": ["a"]}, False, True),
        "list": called("numpy", "dtype", [("a", "O")], False, True),
        "class": called("numpy", "dtype", name(*LINE), False, True),
    }  # fmt: skip
    found = {f"type with a forged {key}": with_state(x=_array(_bytes(b"8" * 8), dtype=dtype))
             for key, dtype in forged.items()}  # fmt: skip
    eight = _bytes(b"8" * 8)
    odd = {
        "too few bytes": _array(eight, (2,)),
        "too many bytes": _array(eight, (0,)),
        "a negative shape": _array(eight, (-1,)),
        "a shape that overflows": _array(eight, (2**62, 2**62, 0, 2**62)),
        "a shape of text": _array(eight, ("a",)),
        "a shape of floats": _array(eight, (1.0,)),
        "a list as shape": _array(eight, [1]),
        "fifty axes": _array(eight, (1,) * 50),
        "objects from bytes": _array(eight, (1,), objects),
        "numbers from a list": _array(b"](K\x01e", (1,)),
        "too few objects": _array(b"](Ne", (2,), objects),
        "no type": _array(eight, (1,), b"N"),
        "text as type": _array(eight, (1,), value("f8")),
        "version 0": _array(eight, first=0),
        "text as content": _array(value("8" * 8)),
        "a subclass": called("numpy._core.multiarray", "_reconstruct", name(*LINE), (0,),
                             b"C\x01b"),
        "a huge start": called("numpy._core.multiarray", "_reconstruct", name("numpy", "ndarray"),
                               (2**40,), b"C\x01b"),
        "state of a number": changed(_array(eight)[:0] + called(
            "numpy._core.multiarray", "_reconstruct", name("numpy", "ndarray"), (0,), b"C\x01b"),
            5),
        "frombuffer of objects": called("numpy._core.numeric", "_frombuffer", eight, objects, (1,),
                                        "C"),
        "frombuffer too short": called("numpy._core.numeric", "_frombuffer", eight, SIMPLE, (9,),
                                       "C"),
        "frombuffer in no order": called("numpy._core.numeric", "_frombuffer", eight, SIMPLE, (1,),
                                         "X"),
        "frombuffer of odd axes": called("numpy._core.numeric", "_frombuffer", eight, SIMPLE, (1,),
                                         "K", (5,)),
        "scalar of an object": called("numpy._core.multiarray", "scalar", objects, eight),
        "scalar too short": called("numpy._core.multiarray", "scalar", SIMPLE, b"C\x01x"),
        "scalar without bytes": called("numpy._core.multiarray", "scalar", SIMPLE),
        "empty items": _array(b"C\x00", (2**30,), called("numpy", "dtype", "V0", False, True)),
        "empty texts": _array(b"C\x00", (2**30,), called("numpy", "dtype", "U0", False, True)),
        "no items, and endless axes": _array(b"C\x00", (0, 2**62, 2**62)),
        "a float of three bytes": _array(b"C\x03xyz", (1,), called("numpy", "dtype", "f3",
                                                                  False, True)),
        "a shared type": _array(eight, (1,), called("numpy", "dtype", "f8", False, False)),
        "mask too short": called("numpy.ma.core", "_mareconstruct", name("numpy.ma", "MaskedArray"),
                                 name("numpy", "ndarray"), (0,), "b")
        + b"(" + value(1) + value((1,)) + SIMPLE + b"\x89" + eight + b"C\x00" + b"N" + b"tb",
        "mask of another class": called("numpy.ma.core", "_mareconstruct", name(*LINE),
                                        name("numpy", "ndarray"), (0,), "b"),
        "tree of numbers": called("sklearn.tree._tree", "Tree", 4, 3, 2),
        "tree with few class counts": called(
            "sklearn.tree._tree", "Tree", 4,
            _array(eight, (1,), changed(called("numpy", "dtype", "i8", False, True),
                                        (3, "<", None, None, None, -1, -1, 0))), 1000),
        "tree of floats": called("sklearn.tree._tree", "Tree", 4, _array(eight), 1),
        "tree of minus one": called("sklearn.tree._tree", "Tree", -1, _array(eight), 1),
        "random position": changed(
            called("numpy.random._pickle", "__randomstate_ctor", "MT19937"),
            {"bit_generator": "MT19937", "state": {"key": 1, "pos": 10**6}}),
        "random position of text": changed(
            called("numpy.random._pickle", "__randomstate_ctor", "MT19937"),
            {"bit_generator": "MT19937", "state": {"pos": "624"}}),
    }  # fmt: skip
    return found | {f"array: {key}": with_state(x=made) for key, made in odd.items()}


def _laughing(levels: int) -> bytes:
    """A tuple of two of a tuple of two …: short to write, endless to walk."""
    made = b"K\x01"
    for level in range(levels):
        put = b"r" + struct.pack("<I", level)
        made += put + b"j" + struct.pack("<I", level) + b"\x86"
    return made


STEPS = 100_000  # allowed to the bombs here, so that the tests stay quick


@cache
def bombs(many: int = STEPS + 1) -> dict[str, bytes]:
    """Small files that would take all memory or time."""
    collisions = b"".join(
        b"\x8a\x10" + (k * (2**61 - 1)).to_bytes(16, "little") + b"N" for k in range(1, 20_000)
    )
    pairs = [value(tuple(-1 - (n >> bit & 1) for bit in range(12))) + b"N" for n in range(4096)]
    deep = b"\x85" * 50_000
    return {
        "memo index": b"\x80\x02Nr\xff\xff\xff\x7f.",
        "memo index of a model": with_state(x=b"Nr\xff\xff\xff\x0f"),
        "memo index in text": b"Np999999999\n.",
        "memo index too long": b"Np" + b"9" * 1000 + b"\n.",
        "memo index that is none": b"Npabc\n.",
        "memo index below zero": b"Np-1\n.",
        "memo entry not there": b"\x80\x02h\x07.",
        "bytes of a terabyte": b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b".",
        "bytes beyond all": b"\x80\x04\x8e" + struct.pack("<Q", 2**64 - 1) + b".",
        "bytearray of a terabyte": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",
        "text of a terabyte": b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b".",
        "text of four gigabytes": b"\x80\x02X\xff\xff\xff\xff.",
        "frame of a terabyte": b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"N.",
        "frame beyond all": b"\x80\x04\x95" + struct.pack("<Q", 2**64 - 1) + b"N.",
        "long of two gigabytes": b"\x80\x02\x8b\xff\xff\xff\x7f.",
        "digits": b"L" + b"9" * 100_000 + b"L\n.",
        "digits of an int": b"I" + b"9" * 100_000 + b"\n.",
        "float of digits": b"F" + b"9" * 100_000 + b"\n.",
        "a line without end": b"c" + b"x" * 3_000_000,
        "a long name": whole(name("x" * 5_000, "y")),
        "steps": b"\x80\x02](" + b"N" * many + b"e.",
        "steps of marks": b"\x80\x02" + b"(" * many,
        "steps of lists": b"\x80\x02(" + b"]" * many + b"l.",
        "nested tuples": whole(b"K\x01" + deep),
        "nested tuples as a key": whole(b"}K\x01" + deep + b"Ns"),
        "nested tuples in a set": whole(b"\x8f(K\x01" + deep + b"\x90", 4),
        "nested lists": whole(b"]" * 40_000 + b"a" * 39_999),
        "nested dictionaries": whole(b"}K\x01" * 30_000 + b"}" + b"s" * 30_000),
        "nested in a model": with_state(x=b"]" * 40_000 + b"a" * 39_999),
        "models in models": whole((EMPTY_LINE + b"}" + value("x")) * 5_000 + b"N" + b"sb" * 5_000),
        "colliding whole numbers": whole(b"}(" + collisions + b"u"),
        "colliding numbers in a model": with_state(x=b"}(" + collisions + b"u"),
        "colliding numbers in a set": whole(
            b"\x8f(" + collisions.replace(b"N\x8a", b"\x8a")[:-1] + b"\x90", 4),
        "colliding numbers in a frozenset": whole(
            b"(" + collisions.replace(b"N\x8a", b"\x8a")[:-1] + b"\x91", 4),
        "colliding tuples": whole(b"}(" + b"".join(pairs) + b"u"),
        "colliding tuples in a list of sets": whole(
            called("builtins", "set", b"](" + b"".join(p[:-1] for p in pairs) + b"e")),
        "laughing tuple as a key": whole(b"}" + _laughing(80) + b"Ns"),
        "laughing tuple in a set": whole(b"\x8f(" + _laughing(80) + b"\x90", 4),
        "laughing tuple as a name": whole(_laughing(80) + value("x") + b"\x93", 4),
        "laughing tuple as arguments": whole(name("numpy", "dtype") + _laughing(80) + b"R"),
        "laughing tuple as a type": whole(name("numpy", "dtype") + b"(" + _laughing(80)
                                          + b"\x89\x88tR"),
        "laughing tuple as a codec": whole(name("_codecs", "encode") + b"(" + value("x")
                                           + _laughing(80) + b"tR"),
        "laughing tuple as axes": with_state(x=name("numpy._core.numeric", "_frombuffer") + b"("
                                             + _bytes(b"8" * 8) + SIMPLE + value((1,)) + value("K")
                                             + _laughing(80) + b"tR"),
        "laughing tuple as a state": whole(EMPTY_LINE + _laughing(80) + b"b"),
        "a key that cannot be one": whole(b"}]Ns"),
        "a model as a key": whole(b"}" + EMPTY_LINE + b"Ns"),
    }  # fmt: skip


@cache
def structures() -> dict[str, bytes]:
    """Files that are not pickles, or pickles of other objects."""
    whole_model = pickle.dumps(fitted(), 4)
    return {
        "nothing": b"",
        "a dot": b".",
        "text": b"hello, world\n",
        "JSON": b'{"model": 1}',
        "HTML": b"<!DOCTYPE html><html></html>",
        "zeros": bytes(1000),
        "a number": pickle.dumps(5),
        "None": pickle.dumps(None),
        "a list of models": pickle.dumps([fitted()]),
        "a dictionary": pickle.dumps({"model": fitted()}),
        "an array": pickle.dumps(np.zeros(3)),
        "a class": pickle.dumps(LogisticRegression),
        "two pickles": whole_model + whole_model,
        "bytes after the end": whole_model + b"\n",
        "a payload after the end": whole_model + whole(called("os", "system", "true")),
        "no end": whole_model[:-1],
        "things left over": whole(b"NN"),
        "a mark left over": whole(b"(N"),
        "a mark missing": whole(b"t"),
        "an empty stack": whole(b"\x85"),
        "past the mark": whole(b"N(\x85"),
        "an odd number of items": whole(b"}(Nu"),
        "a number that is none": b"Iabc\n.",
        "an int with underscores": b"I1_0\n.",
        "an octal int": b"I010\n.",
        "a float with underscores": b"F1_0\n.",
        "a float with space": b"F 1\n.",
        "text that is no UTF-8": whole(b"X\x02\x00\x00\x00\xff\xfe"),
        "a pickle in text": whole(value(whole_model.decode("latin1"))),
        "a pickle in bytes": pickle.dumps(whole_model),
        "a name that is bytes": whole(b"C\x02osC\x06system\x93", 4),
        "a name with a surrogate": whole(value("os\udc80") + value("system") + b"\x93", 4),
        "a name of a line": whole(value("os\nx") + value("system") + b"\x93", 4),
        "an instance of nothing": whole(b")\x81"),
        "a call of nothing": whole(b")R"),
        "a call of text": whole(value("os.system") + b")R"),
        "arguments in a list": whole(name("numpy", "dtype") + b"]R"),
    }


@cache
def unlisted() -> dict[str, bytes]:
    """Unlisted functions under listed names, as arguments of calls whose arguments are checked."""
    made = {
        "scalar as a key": b"}" + called("evil", "scalar", "x") + b"Ns",
        "scalar without arguments as a key": b"}" + called("evil", "scalar") + b"Ns",
        "shape of nothing": changed(called("evil", "_reconstruct", 1), (1, 5)),
        "type of nothing": changed(called("evil", "_reconstruct", 1), (1, (1,), 3)),
        "buffer of nothing": called("evil", "_frombuffer", 1, 2, 3),
        "array of an odd type": _array(b"C\x01x", (1,), called("evil", "dtype", 5)),
    }
    trees = {
        f"{key} in a tree": called("sklearn.tree._tree", "Tree", 4, thing, 1)
        for key, thing in made.items()
    }
    return {key: with_state(x=thing) for key, thing in (made | trees).items()}


@cache
def disguises() -> dict[str, bytes]:
    """A packed model, so that a scanner might not look inside."""
    data = whole(called("os", "system", "true"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("model.pkl", data)
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.pkl"))
    by_joblib, compressed = io.BytesIO(), io.BytesIO()
    joblib.dump(fitted(), by_joblib)
    joblib.dump(fitted(), compressed, compress=3)
    return {
        "gzip": gzip.compress(data),
        "gzip of gzip": gzip.compress(gzip.compress(data)),
        "zlib": zlib.compress(data),
        "bzip2": bz2.compress(data),
        "xz": lzma.compress(data),
        "lzma": lzma.compress(data, format=lzma.FORMAT_ALONE),
        "zip": packed.getvalue(),
        "tar": tarred.getvalue(),
        "joblib": by_joblib.getvalue(),
        "joblib, compressed": compressed.getvalue(),
        "a numpy file": b"\x93NUMPY\x01\x00" + data,
        "space before": b" " + data,
        "a byte order mark": b"\xef\xbb\xbf" + data,
        "a shell script": b"#!/bin/sh\ntouch x\n" + data,
    }


@cache
def truncations() -> dict[str, bytes]:
    """A real model, cut at every 97th byte, in two protocols."""
    rows = np.random.default_rng(1).random((60, 3))
    forest = RandomForestClassifier(2, random_state=0).fit(rows, rows[:, 0] > 0.5)
    return {
        f"protocol {protocol}, cut at {end}": data[:end]
        for protocol, data in ((p, pickle.dumps(forest, p)) for p in (0, 5))
        for end in range(0, len(data), 97)
    }
