"""A pickle machine that only draws: opcodes in, a blueprint out, nothing imported or built.

It follows the C unpickler step by step, knows only the opcodes that pickle.dump writes for data and
estimators, and limits everything that can grow.
"""

import re
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Any

from predictor.artifacts.policy import Limits

from .allowlist import AllowList
from .blueprint import Made, Name, UnwantedError
from .calls import MADE_OF_PARTS, check_call, check_state
from .numpy_calls import dtype_of

_PLAIN_KEYS = (str, float, bool, bytes, type(None))  # and small whole numbers
_MAX_ODD_KEYS = 1_000  # dictionary keys whose hash an attacker can choose
_MAX_LINE = 2**20
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
REWRITE = 'pickle.dump(joblib.load("model.joblib"), open("model.pkl", "wb"))'
_MAX_NAME = 300
_MAX_STACK = 200_000  # pickle itself pushes a thousand at a time, and a tuple's items
_PACKED = {
    b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK": "zip",
    b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4",
    b"\x5d\x00\x00": "lzma",
    b"x\x01": "zlib", b"x\x5e": "zlib", b"x\x9c": "zlib", b"x\xda": "zlib",
}  # fmt: skip


class Machine:
    """The pickle machine's stack, marks and memo over drawn objects."""

    def __init__(self, data: bytes, allowed: AllowList, limits: Limits) -> None:
        self.data, self.at = data, 0
        self.allowed, self.limits = allowed, limits
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.steps = 0
        self.odd_keys = 0
        self.built: set[int] = set()
        self.wanted: list[tuple[str, str]] = []
        self.unwanted = ""

    def run(self) -> Any:
        data, size = self.data, len(self.data)
        for magic, kind in _PACKED.items():
            if data.startswith(magic):
                raise UnwantedError(
                    f"is compressed or packed ({kind}); save a plain pickle: {REWRITE}"
                )
        steps = self.limits.steps
        while self.at < size:
            opcode = data[self.at]
            self.at += 1
            self.steps += 1
            if self.steps > steps:
                raise UnwantedError(f"takes more than {steps:,} steps")
            if opcode == 0x2E:  # STOP
                return self._stop()
            step = _STEPS.get(opcode)
            if step is None:
                raise UnwantedError(_unknown(opcode, self.at - 1, data))
            step(self)
        raise UnwantedError("ends too early: the file is cut off")

    def _stop(self) -> Any:
        if self.at != len(self.data):
            raise UnwantedError(f"has {len(self.data) - self.at:,} bytes after its end")
        if self.marks or len(self.stack) != 1:
            raise UnwantedError("ends with objects left over")
        return self.stack.pop()

    # --- reading ---

    def take(self, count: int) -> bytes:
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise UnwantedError("ends too early: the file is cut off or names a false length")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def line(self) -> bytes:
        end = self.data.find(b"\n", self.at, self.at + _MAX_LINE)
        if end < 0:
            raise UnwantedError("ends too early: a line has no end")
        taken = self.data[self.at : end]
        self.at = end + 1
        return taken

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def index(self) -> int:
        text = self.line()
        if not text.isdigit() or len(text) > 9:
            raise UnwantedError("has a memo index that is no number")
        return int(text)

    # --- the stack ---

    def push(self, thing: Any) -> None:
        self.stack.append(thing)
        if len(self.stack) > _MAX_STACK:
            raise UnwantedError(f"puts more than {_MAX_STACK:,} objects on the stack")

    def pop(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise UnwantedError("takes more from the stack than there is")
        return self.stack.pop()

    def top(self) -> Any:
        thing = self.pop()
        self.stack.append(thing)
        return thing

    def pop_mark(self) -> list[Any]:
        if not self.marks:
            raise UnwantedError("has a mark missing")
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def drop_mark(self) -> None:
        self.pop_mark()

    def mark(self) -> None:
        if len(self.marks) >= self.limits.nesting * 2:
            raise UnwantedError(f"nests objects more than {self.limits.nesting} deep")
        self.marks.append(len(self.stack))

    def tuple_of(self, count: int) -> None:
        items = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(items)))

    # --- the memo ---

    def put(self, index: int) -> None:
        if index > self.steps:  # pickle numbers its memo from 0: a high index only wastes memory
            raise UnwantedError("has a memo index beyond its own length")
        self.memo[index] = self.top()

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise UnwantedError("refers to a memo entry that is not there")
        self.push(self.memo[index])

    # --- containers ---

    def keys(self, keys: Iterable[Any]) -> None:
        """Refuse keys and elements whose hashes can be made to collide."""
        for key in keys:
            kind = type(key)
            if kind in _PLAIN_KEYS or (kind is int and -(2**60) < key < 2**60):
                continue
            scalar = _is_scalar(key)
            if not (scalar or kind is int or _is_flat(key)):
                raise UnwantedError("uses something odd as the key of a dictionary")
            self.odd_keys += 1
            if self.odd_keys > _MAX_ODD_KEYS * (100 if scalar else 1):
                raise UnwantedError("uses too many odd keys in its dictionaries")

    def append(self, items: list[Any]) -> None:
        target = self.top()
        if type(target) is not list:
            raise UnwantedError("appends to something that is not a list")
        target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.top()
        if isinstance(target, Made) and target.cls.name in ("OrderedDict", "defaultdict", "Bunch"):
            target = target.items
        if isinstance(target, Made) and target.cls.kind == "trusted":
            target = target.items
        if type(target) is not dict or len(items) % 2:
            raise UnwantedError("sets items of something that is not a dictionary")
        self.keys(items[::2])
        target.update(zip(items[::2], items[1::2], strict=True))

    def new_dict(self) -> None:
        items = self.pop_mark()
        self.push({})
        self.set_items(items)

    def add_items(self, items: list[Any]) -> None:
        target = self.top()
        if type(target) is not set:
            raise UnwantedError("adds to something that is not a set")
        self.keys(items)
        target.update(items)

    def new_frozenset(self) -> None:
        items = self.pop_mark()
        self.keys(items)
        self.push(frozenset(items))

    # --- names, calls, states ---

    def name(self, module: str, name: str) -> None:
        if not (module.isprintable() and name.isprintable() and len(module + name) <= _MAX_NAME):
            raise UnwantedError("asks for an invalid name")
        self.wanted.append((module, name))
        kind = self.allowed.kind(module, name)
        if kind is None and not self.unwanted:
            self.unwanted = _unlisted(module, name)
        self.push(Name(module, name, kind))

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        if type(name) is not str or type(module) is not str:
            raise UnwantedError("asks for a name that is not text")
        self.name(module, name)

    def reduce(self) -> None:
        args, maker = self.pop(), self.pop()
        if type(maker) is not Name or type(args) is not tuple:
            raise UnwantedError("calls something that it made itself")
        if maker.kind is None:
            self.push(Made(maker, args, maker))
            return
        made = check_call(maker, args)
        if isinstance(made, Made) and made.maker.name in ("set", "frozenset"):
            self.keys(args[0])
        self.push(made)

    def new_object(self) -> None:
        args, cls = self.pop(), self.pop()
        if type(cls) is not Name or type(args) is not tuple:
            raise UnwantedError("makes an object of a class that it made itself")
        if (cls.module, cls.name) in MADE_OF_PARTS:
            self.push(check_call(cls, args))
            return
        if cls.kind not in ("estimator", "plain", "trusted", None):
            raise UnwantedError(f"makes an object of {cls}, which is no plain class")
        if args and cls.kind is not None:
            raise UnwantedError(f"makes a {cls} with arguments")
        self.push(Made(cls, args, cls))

    def build(self) -> None:
        state, made = self.pop(), self.top()
        if type(made) is not Made:
            raise UnwantedError(
                f"changes {made}, which it did not make" if type(made) is Name
                else f"sets the state of a {type(made).__name__}"
            )  # fmt: skip
        if id(made) in self.built:
            raise UnwantedError(f"sets the state of the same {made.cls.name} twice")
        self.built.add(id(made))
        if made.maker.kind is not None and made.cls.kind is not None:
            check_state(made, state)
        # a copy, as in the unpickler: later changes of the dictionary do not change the object
        made.state = dict(state) if type(state) is dict else state


_OWN_MODULE = (
    "a function in your own module that calls it, say mylib/features.py, can be allowed by the "
    "operator"
)
_ADVICE = {
    "__main__": "a function or class of a notebook or script cannot be loaded elsewhere; move it "
    "to a module, say mylib/features.py, fit again, and set MODEL_ALLOW_MODULES=mylib.features",
    "joblib": f"write it with pickle.dump, not joblib.dump: {REWRITE}",
    "pandas": "give it plain lists, such as list(table.columns), before fitting",
    "scipy.stats": "save the search's best_estimator_ instead of the search",
}
# Libraries that no operator can allow as a whole: only single names of theirs are on the list.
_NEVER = frozenset({*sys.stdlib_module_names, "numpy", "scipy", "sklearn"})


def _is_flat(key: Any) -> bool:
    """A short tuple of plain values."""
    return type(key) is tuple and len(key) <= 16 and all(
        type(part) is int or type(part) in _PLAIN_KEYS for part in key
    )  # fmt: skip


def _is_scalar(key: Any) -> bool:
    """A numpy number or text."""
    return type(key) is Made and key.maker.name == "scalar" and dtype_of(key)[0] in "biufSU"


def _unlisted(module: str, name: str) -> str:
    if "." in name:
        return f"asks for {module}.{name}: dotted names are never followed"
    for package, advice in _ADVICE.items():
        if module == package or module.startswith(f"{package}."):
            return f"asks for {module}.{name}: {advice}"
    asks = f"asks for {module}.{name}"
    if module.partition(".")[0] in _NEVER or not _MODULE.fullmatch(module):
        said = f"{asks}, which is not on the list of what an estimator is made of"
        return f"{said}; {_OWN_MODULE}" if module.partition(".")[0] == "numpy" else said
    return f"{asks}: the server's operator can allow such modules with MODEL_ALLOW_MODULES"


def allowing(wanted: Iterable[tuple[str, str]], allowed: AllowList) -> str:
    """``=lightgbm.basic,lightgbm.sklearn``: the modules that the operator would have to allow."""
    modules = {
        module
        for module, name in wanted
        if allowed.kind(module, name) is None and module.partition(".")[0] not in _NEVER
    }
    return "=" + ",".join(sorted(modules)[:20])


_BANNED = {
    0x50: "PERSID", 0x51: "BINPERSID", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x69: "INST",
    0x6F: "OBJ", 0x92: "NEWOBJ_EX", 0x32: "DUP", 0x30: "POP", 0x97: "NEXT_BUFFER",
    0x98: "READONLY_BUFFER", 0x53: "STRING", 0x54: "BINSTRING", 0x55: "SHORT_BINSTRING",
}  # fmt: skip


def _unknown(opcode: int, at: int, data: bytes) -> str:
    if name := _BANNED.get(opcode):
        return (
            f"uses the opcode {name} at byte {at:,}, which pickle.dump does not write for a model"
        )
    if at == 0:
        return "is not a pickle" if data else "is empty"
    return f"is not a pickle from byte {at:,} on"


def _int(machine: Machine) -> None:
    """INT: a number as text; 00 and 01 are False and True (010 would be octal in C)."""
    text = machine.line()
    if not re.fullmatch(rb"0[01]|-?(0|[1-9]\d{0,19})", text):
        raise UnwantedError("has an invalid number")
    machine.push(text == b"01" if text in (b"00", b"01") else int(text))


def _long(machine: Machine) -> None:
    text = machine.line()
    if not re.fullmatch(rb"-?\d{1,100}L?", text):
        raise UnwantedError("has an invalid number")
    machine.push(int(text.rstrip(b"L")))


def _float(machine: Machine) -> None:
    text = machine.line()
    if not re.fullmatch(rb"-?(\d{1,20}(\.\d{0,40})?(e[+-]?\d{1,4})?|inf|nan)", text):
        raise UnwantedError("has an invalid number")
    machine.push(float(text))


def _text(machine: Machine, size: int) -> None:
    machine.push(machine.take(size).decode("utf-8", "surrogatepass"))


def _proto(machine: Machine) -> None:
    if machine.number("<B") > 5:
        raise UnwantedError("is written in a pickle protocol above 5")


def _frame(machine: Machine) -> None:
    if machine.number("<Q") > len(machine.data) - machine.at:
        raise UnwantedError("ends too early: the file is cut off or names a false length")


def _global(machine: Machine) -> None:
    machine.name(machine.line().decode(), machine.line().decode())


def _long1(machine: Machine) -> None:
    machine.push(int.from_bytes(machine.take(machine.number("<B")), "little", signed=True))


def _constant(value: Any) -> Callable[[Machine], None]:
    return lambda machine: machine.push(value)


_STEPS: dict[int, Callable[[Machine], None]] = {
    0x80: _proto,
    0x95: _frame,
    0x28: Machine.mark,
    # text and numbers
    ord("N"): _constant(None),
    0x88: _constant(True),
    0x89: _constant(False),
    ord("I"): _int,
    ord("L"): _long,
    ord("F"): _float,
    ord("J"): lambda m: m.push(m.number("<i")),
    ord("K"): lambda m: m.push(m.number("<B")),
    ord("M"): lambda m: m.push(m.number("<H")),
    ord("G"): lambda m: m.push(m.number(">d")),
    0x8A: _long1,
    ord("V"): lambda m: m.push(m.line().decode("raw-unicode-escape")),
    ord("X"): lambda m: _text(m, m.number("<I")),
    0x8C: lambda m: _text(m, m.number("<B")),
    0x8D: lambda m: _text(m, m.number("<Q")),
    ord("C"): lambda m: m.push(m.take(m.number("<B"))),
    ord("B"): lambda m: m.push(m.take(m.number("<I"))),
    0x8E: lambda m: m.push(m.take(m.number("<Q"))),
    0x96: lambda m: m.push(bytearray(m.take(m.number("<Q")))),
    # containers
    ord(")"): _constant(()),
    ord("t"): lambda m: m.push(tuple(m.pop_mark())),
    0x85: lambda m: m.tuple_of(1),
    0x86: lambda m: m.tuple_of(2),
    0x87: lambda m: m.tuple_of(3),
    ord("]"): lambda m: m.push([]),
    ord("l"): lambda m: m.push(m.pop_mark()),
    ord("a"): lambda m: m.append([m.pop()]),
    ord("e"): lambda m: m.append(m.pop_mark()),
    ord("}"): lambda m: m.push({}),
    ord("d"): Machine.new_dict,
    ord("s"): lambda m: m.set_items([m.pop(), m.pop()][::-1]),
    ord("u"): lambda m: m.set_items(m.pop_mark()),
    0x8F: lambda m: m.push(set()),
    0x90: lambda m: m.add_items(m.pop_mark()),
    0x91: Machine.new_frozenset,
    ord("1"): Machine.drop_mark,
    # the memo
    0x94: lambda m: m.put(len(m.memo)),
    ord("q"): lambda m: m.put(m.number("<B")),
    ord("r"): lambda m: m.put(m.number("<I")),
    ord("p"): lambda m: m.put(m.index()),
    ord("h"): lambda m: m.get(m.number("<B")),
    ord("j"): lambda m: m.get(m.number("<I")),
    ord("g"): lambda m: m.get(m.index()),
    # objects
    ord("c"): _global,
    0x93: Machine.stack_global,
    ord("R"): Machine.reduce,
    0x81: Machine.new_object,
    ord("b"): Machine.build,
}
