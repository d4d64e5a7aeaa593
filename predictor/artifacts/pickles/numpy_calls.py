"""Calls of numpy: the arguments must fit the bytes that are given, or numpy reads beyond them."""

import math
import re
from typing import Any

from predictor.artifacts.untrusted import shown

from .blueprint import CallCheck, Made, Name, UnwantedError, is_name, require

_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
_DTYPE = re.compile(r"b1|[iu][1248]|f(2|4|8|16)|c(8|16|32)|O8|[SUV]\d{1,9}")
_MAX_AXIS = 2**31  # of an array without elements: its shape takes no bytes
_MAX_POSITION = {"pos": 624, "buffer_pos": 4}  # of random generators: indices into their memory


def _is_call(thing: Any) -> bool:
    """Whether ``thing`` was drawn from a listed call, so that its arguments were checked."""
    return isinstance(thing, Made) and thing.maker.kind == "call"


def shape_of(thing: Any) -> tuple[int, ...] | None:
    """The shape of a drawn numpy array; None for anything else."""
    if not _is_call(thing):
        return None
    if thing.maker.name == "_reconstruct" and isinstance(thing.state, tuple):
        return tuple(thing.state[1])
    return tuple(thing.args[2]) if thing.maker.name == "_frombuffer" else None


def dtype_of(thing: Any) -> str:
    """``f8`` and the like for a drawn numpy array or scalar, empty for anything else."""
    if not _is_call(thing):
        return ""
    if thing.maker.name == "_reconstruct" and isinstance(thing.state, tuple):
        return str(thing.state[2].args[0])
    if thing.maker.name in ("_frombuffer", "scalar"):
        return str(thing.args[1 if thing.maker.name == "_frombuffer" else 0].args[0])
    return ""


def dtype(maker: Name, args: tuple[Any, ...]) -> Made:
    """A type by its short name, such as ``f8``."""
    good = len(args) == 3 and type(args[0]) is str and args[1:] == (False, True)
    match = _DTYPE.fullmatch(args[0]) if good else None
    if match is None:
        what = f"'{shown(args[0], 40)}'" if args and type(args[0]) is str else "an odd one"
        dates = good and args[0][:1] in "Mm"
        advice = ": fit it on numbers or texts made of the dates" if dates else ""
        raise UnwantedError(f"asks for the numpy type {what}{advice}")
    return Made(maker, args, maker)


def dtype_state(made: Made, state: Any) -> None:
    """A forged state would give numpy wrong sizes, so only states that numpy writes are allowed."""
    kind, size = made.args[0][0], _itemsize(made)
    wrong = f"forges the numpy type {made.args[0]}"
    require(type(state) is tuple and len(state) == 8 and state[0] == 3, wrong)
    _, order, subtype, names, fields, *layout = state
    require(order in ("<", ">", "|", "=") and subtype is None, wrong)
    require(tuple(layout) in _layouts(kind, size), wrong)
    if kind == "V":
        _check_fields(names, fields, size, wrong)
    else:
        require(names is None and fields is None, wrong)


def _layouts(kind: str, size: int) -> list[tuple[int, int, int]]:
    """The item size, alignment and flags in the states that numpy writes for a kind of type."""
    if kind == "V":
        return [(size, alignment, flags) for alignment in (1, 2, 4, 8) for flags in (0, 16)]
    if kind in "SU":
        return [(size, 4 if kind == "U" else 1, 8), (size, 1, 0)]
    return [(-1, -1, 63 if kind == "O" else 0)]


def _check_fields(names: Any, fields: Any, size: int, wrong: str) -> None:
    require(type(names) is tuple and all(type(name) is str for name in names), wrong)
    require(type(fields) is dict and fields.keys() == set(names), wrong)
    for field in fields.values():
        require(type(field) is tuple and len(field) == 2 and type(field[1]) is int, wrong)
        inner, offset = field
        inner = _check_dtype(inner)
        require(inner.args[0][0] in "biuf" and 0 <= offset <= size - _itemsize(inner), wrong)


def _itemsize(dtype: Made) -> int:
    kind, size = dtype.args[0][0], int(dtype.args[0][1:])
    return size * 4 if kind == "U" else size


def _check_dtype(thing: Any) -> Made:
    require(_is_call(thing) and thing.maker.name == "dtype", "makes an array without a numpy type")
    return thing  # type: ignore[no-any-return] # a Made, as was just required


def _check_content(shape: Any, dtype: Any, content: Any) -> None:
    require(
        type(shape) is tuple and len(shape) <= 32
        and all(type(n) is int and 0 <= n < _MAX_AXIS for n in shape),
        "makes an array of an impossible shape",
    )  # fmt: skip
    count, dtype = math.prod(shape), _check_dtype(dtype)
    require(count == 0 or _itemsize(dtype) > 0, "makes an array of items without a size")
    if dtype.args[0].startswith("O"):
        require(type(content) is list and len(content) == count, "fills an array of objects oddly")
        return
    require(
        type(content) in (bytes, bytearray) and len(content) == count * _itemsize(dtype),
        f"fills an array of shape {shape} with the wrong number of bytes",
    )


def array(maker: Name, args: tuple[Any, ...]) -> Made:
    """An empty array, to be filled by its state."""
    require(
        len(args) == 3 and is_name(args[0], "numpy", "ndarray") and args[1:] == ((0,), b"b"),
        f"calls {maker} oddly",
    )
    return Made(maker, args, args[0])


def array_state(made: Made, state: Any) -> None:
    """Version, shape, type, order, content."""
    require(type(state) is tuple and len(state) == 5 and state[0] == 1, "sets an array oddly")
    require(type(state[3]) in (bool, int), "sets an array oddly")
    _check_content(state[1], state[2], state[4])


def masked(maker: Name, args: tuple[Any, ...]) -> Made:
    """An empty masked array, in which a search keeps its results."""
    require(
        len(args) == 4 and is_name(args[0], "numpy.ma", "MaskedArray")
        and is_name(args[1], "numpy", "ndarray") and args[2] == (0,) and args[3] in ("b", b"b"),
        f"calls {maker} oddly",
    )  # fmt: skip
    return Made(maker, args, args[0])


def masked_state(made: Made, state: Any) -> None:
    """As an array, with a byte of mask for each number."""
    require(type(state) is tuple and len(state) == 7 and state[0] == 1, "sets an array oddly")
    _check_content(state[1], state[2], state[4])
    require(type(state[5]) is bytes and len(state[5]) == math.prod(state[1]), "sets a mask oddly")


def from_buffer(maker: Name, args: tuple[Any, ...]) -> Made:
    """How protocol 5 writes arrays."""
    require(len(args) in (4, 5) and args[3] in ("C", "F", "K"), f"calls {maker} oddly")
    _check_content(args[2], args[1], args[0])
    require(not args[1].args[0].startswith("O"), f"calls {maker} oddly")
    if len(args) == 5:
        require(
            type(args[4]) is tuple
            and all(type(axis) is int for axis in args[4])
            and sorted(args[4]) == list(range(len(args[2]))),
            f"calls {maker} oddly",
        )
    return Made(maker, args, maker)


def scalar(maker: Name, args: tuple[Any, ...]) -> Made:
    """A number or text with a numpy type."""
    require(len(args) == 2 and type(args[1]) is bytes, f"calls {maker} oddly")
    dtype = _check_dtype(args[0])
    require(
        dtype.args[0][0] not in "OV" and len(args[1]) == _itemsize(dtype), f"calls {maker} oddly"
    )
    return Made(maker, args, maker)


def random_generator(maker: Name, args: tuple[Any, ...]) -> Made:
    """Random generators by name, by class, or around a bit generator that was just made."""
    good = len(args) == 1 and (
        args[0] in _BIT_GENERATORS
        if isinstance(args[0], str)
        else (
            isinstance(args[0], Name)
            and args[0].name in _BIT_GENERATORS
            and maker.name == "__bit_generator_ctor"
        )
        or (isinstance(args[0], Made) and args[0].maker.name == "__bit_generator_ctor")
    )
    require(good, f"calls {maker} oddly")
    return Made(maker, args, maker)


def random_state(made: Made, state: Any) -> None:
    """A position in the generator's memory must lie in it."""
    described = state[0] if type(state) is tuple and len(state) == 2 else state
    require(type(described) is dict, "sets a random generator oddly")
    for section in (described, described.get("state")):
        for key, highest in _MAX_POSITION.items():
            position = section.get(key, 0) if type(section) is dict else 0
            require(type(position) is int and 0 <= position <= highest,
                     "sets a random generator oddly")  # fmt: skip


def unpickle_of(module: str, name: str) -> CallCheck:
    """Cython's ``__pyx_unpickle_…``: the class, a checksum of its layout, maybe its state."""

    def check(maker: Name, args: tuple[Any, ...]) -> Made:
        require(
            len(args) == 3 and is_name(args[0], module, name) and type(args[1]) is int
            and (args[2] is None or type(args[2]) is tuple),
            f"calls {maker} oddly",
        )  # fmt: skip
        return Made(maker, args, args[0])

    return check
