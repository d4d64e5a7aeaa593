"""What a pickle would import and hold, found out without building any of it."""

from dataclasses import dataclass, field
from typing import Any

from predictor.artifacts.policy import Limits
from predictor.artifacts.untrusted import sentence

from .allowlist import AllowList
from .blueprint import Made, Name, UnwantedError, parts
from .machine import Machine, allowing

# Errors that a step of the machine may raise after an unlisted name: the pickle is read to its
# end, to name them all, and the objects of unlisted names are not checked.
_DAMAGED = (
    ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
)  # fmt: skip

_VALUES = ("type", "constant", "function", "elementwise", "trusted")  # kinds that may be kept
_HOLDERS = (Made, dict, list, tuple, set, frozenset)


@dataclass
class Inspection:
    """What a pickle imports and holds; ``refusal`` completes "model.pkl …" when it may not load."""

    root: Any = None
    names: list[str] = field(default_factory=list)
    wanted: list[tuple[str, str]] = field(default_factory=list)  # in the order of import
    refusal: str = ""


def inspect(data: bytes, allowed: AllowList, limits: Limits) -> Inspection:
    """Draw what ``data`` would build. Never builds it, and raises for no content."""
    machine = Machine(data, allowed, limits)
    found = Inspection(wanted=machine.wanted)
    try:
        found.root = machine.run()
        _check_whole(found.root, limits)
    except UnwantedError as error:
        found.refusal = str(error)
    except _DAMAGED as error:
        found.refusal = f"is damaged: {type(error).__name__}: {sentence(str(error), 200)}"
    found.names = sorted({f"{module}.{name}" for module, name in machine.wanted})
    found.refusal = machine.unwanted or found.refusal
    if machine.unwanted.endswith("MODEL_ALLOW_MODULES"):
        found.refusal += allowing(machine.wanted, allowed)
    return found


def _check_whole(root: Any, limits: Limits) -> None:
    """The checks that need the finished drawing: nesting, and where functions are."""
    seen: set[int] = set()
    level: list[Any] = [root]
    for _ in range(limits.nesting):
        fresh = []
        for thing in level:
            if isinstance(thing, Made):
                _check_function_of(thing)
            for part in parts(thing):
                if isinstance(part, Name):
                    _check_value(part, thing)
                elif isinstance(part, _HOLDERS) and id(part) not in seen:
                    seen.add(id(part))
                    fresh.append(part)
        if not fresh:
            return
        level = fresh
    raise UnwantedError(f"nests objects more than {limits.nesting} deep")


def _check_value(name: Name, holder: Any) -> None:
    """Classes and functions that are called while loading may not be kept as values."""
    as_argument = isinstance(holder, Made) and name in holder.args
    if not as_argument and name.kind not in _VALUES:
        raise UnwantedError(f"keeps {name} as a value")


def _check_function_of(made: Made) -> None:
    """A FunctionTransformer runs its function on every request."""
    if made.cls.name != "FunctionTransformer":
        return
    for key in ("func", "inverse_func"):
        function = made.attribute(key)
        partial = isinstance(function, Made) and function.maker.name == "partial"
        listed = isinstance(function, Name) and function.kind in ("elementwise", "trusted")
        if not (function is None or partial or listed):
            what = function if isinstance(function, Name) else "an object"
            raise UnwantedError(
                f"has a FunctionTransformer of {what}, which is not a plain function of numpy; "
                "allow one from a module of your own with MODEL_ALLOW_MODULES=mylib.features"
            )
