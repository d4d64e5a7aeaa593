"""Pickles written by hand, opcode by opcode, as no pickler would write them."""

import pickle
from pickle import (
    BUILD,
    EMPTY_TUPLE,
    GLOBAL,
    INST,
    MARK,
    NEWOBJ,
    NEWOBJ_EX,
    OBJ,
    PROTO,
    REDUCE,
    STACK_GLOBAL,
    STOP,
    TUPLE,
)  # fmt: skip
from typing import Any

__all__ = ["called", "changed", "name", "value", "ways", "whole"]


def value(thing: Any) -> bytes:
    """The opcodes that push a plain value on the stack (``bytes`` objects are opcodes already)."""
    if isinstance(thing, bytes):
        return thing
    if isinstance(thing, tuple):
        return MARK + b"".join(map(value, thing)) + TUPLE
    return pickle.dumps(thing, 2)[2:-1].replace(b"q\x00", b"")


def name(module: str, attribute: str) -> bytes:
    """The opcodes of an import."""
    return GLOBAL + f"{module}\n{attribute}\n".encode()


def called(module: str, attribute: str, *args: Any) -> bytes:
    """The opcodes of a call that leaves its result on the stack."""
    return name(module, attribute) + value(args) + REDUCE


def changed(target: bytes, state: Any) -> bytes:
    """The opcodes that set the state of an object."""
    return target + value(state) + BUILD


def whole(opcodes: bytes, protocol: int = 2) -> bytes:
    """A complete pickle."""
    return PROTO + bytes([protocol]) + opcodes + STOP


def ways(module: str, attribute: str, args: tuple[Any, ...]) -> dict[str, bytes]:
    """Every way in which a pickle can call a function."""
    packed = b"".join(map(value, args))
    by_stack = value(module) + value(attribute) + STACK_GLOBAL
    function = name(module, attribute)
    return {
        "REDUCE, protocol 0": function + value(args) + REDUCE + STOP,
        "REDUCE, protocol 2": whole(function + value(args) + REDUCE),
        "STACK_GLOBAL": whole(by_stack + value(args) + REDUCE, 4),
        "INST": MARK + packed + INST + f"{module}\n{attribute}\n".encode() + STOP,
        "OBJ": whole(MARK + function + packed + OBJ),
        "NEWOBJ": whole(function + value(args) + NEWOBJ),
        "NEWOBJ_EX": whole(function + value(args) + pickle.EMPTY_DICT + NEWOBJ_EX, 4),
        "memo": whole(pickle.EMPTY_LIST + function + b"q\x05ah\x05" + value(args) + REDUCE),
        "memo and POP": whole(function + b"q\x050h\x05" + value(args) + REDUCE),
        "BUILD after": whole(function + value(args) + REDUCE + EMPTY_TUPLE + BUILD),
        "in a list": whole(pickle.EMPTY_LIST + function + value(args) + REDUCE + pickle.APPEND),
        "as a key": whole(pickle.EMPTY_DICT + function + value(args) + REDUCE + b"Ns"),
    }
