"""Plain values read off the drawing of a lookup or of flags: the pickle itself is never loaded.

So a web worker needs no numpy, although labels often have numpy numbers.
"""

import math
import struct
from collections import OrderedDict
from typing import Any

from .blueprint import Made, Name, UnwantedError, require

_NUMBERS = {
    "b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I",
    "u8": "Q", "f2": "e", "f4": "f", "f8": "d",
}  # fmt: skip


def plain_value(drawn: Any) -> Any:
    """Containers, text and numbers as plain Python. Raises UnwantedError for anything else."""
    return _value(drawn, {})


def _value(drawn: Any, known: dict[int, Any]) -> Any:
    """``known`` holds, by identity, the values already read: a container may contain itself."""
    if isinstance(drawn, Name):
        raise UnwantedError(f"holds {drawn}, which is neither text nor a number")
    if not isinstance(drawn, Made | dict | list | tuple | set | frozenset):
        return drawn
    if id(drawn) in known:
        return known[id(drawn)]
    found: Any
    if isinstance(drawn, dict):
        found = known[id(drawn)] = {}
        _fill(found, drawn, known)
    elif isinstance(drawn, list):
        found = known[id(drawn)] = []
        found += [_value(part, known) for part in drawn]
    elif isinstance(drawn, Made):
        found = known[id(drawn)] = _made(drawn, known)
    else:
        found = known[id(drawn)] = type(drawn)([_value(part, known) for part in drawn])
    return found


def _fill(into: dict[Any, Any], items: dict[Any, Any], known: dict[int, Any]) -> None:
    for key, value in items.items():
        into[_value(key, known)] = _value(value, known)


def _made(made: Made, known: dict[int, Any]) -> Any:
    maker = made.maker.name
    if maker == "OrderedDict":
        found = known[id(made)] = OrderedDict[Any, Any]()
        _fill(found, made.items, known)
        return found
    if maker == "scalar":
        dtype, content = made.args
        return _cells(dtype, content, 1)[0]
    if maker == "_frombuffer":
        content, dtype, shape = made.args[:3]
    elif maker == "_reconstruct" and isinstance(made.state, tuple):
        _, shape, dtype, _, content = made.state
    else:
        raise UnwantedError(f"holds a {made.cls}, which is neither text nor a number")
    require(len(shape) < 2, "holds an array of several dimensions")
    if isinstance(content, list):
        cells = [_value(cell, known) for cell in content]
    else:
        cells = _cells(dtype, content, math.prod(shape))
    return cells if shape else cells[0]


def _cells(dtype: Made, content: bytes, count: int) -> list[Any]:
    """The cells in an array's bytes; their number was checked when it was drawn."""
    kind, size = dtype.args[0][0], int(dtype.args[0][1:])
    order = dtype.state[1] if isinstance(dtype.state, tuple) else "="
    if kind == "U":
        step, code = 4 * size, "utf-32-be" if order == ">" else "utf-32-le"
        cells = (content[at * step : (at + 1) * step] for at in range(count))
        return [cell.decode(code, "surrogatepass").rstrip("\0") for cell in cells]
    form = _NUMBERS.get(dtype.args[0])
    require(form is not None, f"holds cells of the numpy type {dtype.args[0]}")
    return list(struct.unpack(f"{order.replace('|', '=')}{count}{form}", content))
