"""Calls of Python's own types, as pickle writes them for the content of an estimator."""

from typing import Any

from .blueprint import Made, Name, is_name, require


def latin1_bytes(maker: Name, args: tuple[Any, ...]) -> bytes:
    """How protocols 0 to 2 write bytes."""
    require(len(args) == 2 and type(args[0]) is str and args[1] == "latin1", f"calls {maker} oddly")
    return bytes(args[0].encode("latin1"))


def empty_bytes(maker: Name, args: tuple[Any, ...]) -> bytes:
    """Empty bytes in protocols 0 to 2."""
    require(args == (), f"calls {maker} with arguments")
    return b""


def new_bytearray(maker: Name, args: tuple[Any, ...]) -> bytearray:
    """A bytearray from given bytes, never from a length."""
    if len(args) == 2 and type(args[0]) is str and args[1] == "latin-1":
        return bytearray(args[0].encode("latin1"))
    require(args == () or (len(args) == 1 and type(args[0]) is bytes), f"calls {maker} oddly")
    return bytearray(*args)


def whole_numbers(maker: Name, args: tuple[Any, ...]) -> Made:
    """Range, and slice; a slice of a data frame's columns may be from one name to another."""
    plain = (int, str) if maker.name == "slice" else (int,)
    require(
        1 <= len(args) <= 3 and all(a is None or type(a) in plain for a in args),
        f"calls {maker} with something other than whole numbers",
    )
    return Made(maker, args, maker)


def numbers(maker: Name, args: tuple[Any, ...]) -> Made:
    """complex, and compiled losses with their parameters."""
    require(
        len(args) <= 2 and all(type(a) in (int, float) for a in args),
        f"calls {maker} with something other than numbers",
    )
    return Made(maker, args, maker)


def collection(maker: Name, args: tuple[Any, ...]) -> Made:
    """Set and frozenset in protocols 0 to 3; keys were checked when the list was made."""
    require(len(args) == 1 and type(args[0]) is list, f"calls {maker} oddly")
    return Made(maker, args, maker)


def empty_container(maker: Name, args: tuple[Any, ...]) -> Made:
    """An OrderedDict; its items follow."""
    require(args == (), f"calls {maker} with arguments")
    return Made(maker, args, maker)


def defaultdict(maker: Name, args: tuple[Any, ...]) -> Made:
    """A defaultdict of a plain type."""
    good = len(args) <= 1 and all(
        isinstance(a, Name) and (a.kind == "type" or is_name(a, "collections", "OrderedDict"))
        for a in args
    )
    require(good, f"calls {maker} oddly")
    return Made(maker, args, maker)


def reconstructor(maker: Name, args: tuple[Any, ...]) -> Made:
    """How protocols 0 and 1 write objects: an empty object of a listed class."""
    require(len(args) == 3 and isinstance(args[0], Name), f"calls {maker} oddly")
    cls, base, value = args
    require(cls.kind in ("estimator", "plain", "trusted"), f"makes an object of {cls}")
    plain = is_name(base, "builtins", "object") and value is None
    mapping = is_name(base, "builtins", "dict") and type(value) is dict
    require(plain or mapping, f"makes a {cls} out of {base}")
    return Made(maker, args, cls)


def partial(maker: Name, args: tuple[Any, ...]) -> Made:
    """``check_array`` with options, which histogram boosting keeps."""
    require(
        len(args) == 1 and is_name(args[0], "sklearn.utils.validation", "check_array"),
        "makes a functools.partial of something other than check_array",
    )
    return Made(maker, args, maker)


def partial_state(made: Made, state: Any) -> None:
    """The state names the function again: it must be the same."""
    require(
        type(state) is tuple and len(state) == 4 and state[0] is made.args[0] and state[1] == ()
        and type(state[2]) is dict and state[3] in (None, {}),
        "changes what a functools.partial calls",
    )  # fmt: skip
