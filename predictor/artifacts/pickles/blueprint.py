"""What a pickle would build, as a drawing: names, calls and states, with nothing built.

Containers, text, numbers and bytes are themselves; everything else is a Name (something the pickle
would import) or a Made (something it would construct).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

# Old module names, written by older Pythons and numpys, and the modules of today.
_MOVED = {
    "__builtin__": "builtins",
    "copy_reg": "copyreg",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}


class UnwantedError(ValueError):
    """A pickle holds something that no model should; the message completes "model.pkl …"."""


class _Nothing:
    """No state was given: None is a state of its own."""


NOTHING = _Nothing()


@dataclass(eq=False, frozen=True, slots=True)
class Name:
    """Something a pickle imports by module and name; ``kind`` is its kind in the allow-list."""

    module: str
    name: str
    kind: str | None

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class Made:
    """An object that a pickle makes by calling ``maker``; ``cls`` names its class."""

    maker: Name
    args: tuple[Any, ...]
    cls: Name
    state: Any = NOTHING
    items: dict[Any, Any] = field(default_factory=dict)

    def attribute(self, name: str) -> Any:
        """The attribute ``name`` in the object's state, or None."""
        return self.state.get(name) if isinstance(self.state, dict) else None


def parts(thing: Any) -> Iterator[Any]:
    """The values that ``thing`` holds directly."""
    if isinstance(thing, Made):
        yield from thing.args
        if thing.state is not NOTHING:
            yield thing.state
        yield thing.items
    elif isinstance(thing, dict):
        yield from thing.keys()
        yield from thing.values()
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from thing


CallCheck = Callable[[Name, tuple[Any, ...]], Any]
"""Judges a call by what is called with which arguments; see ``calls.py``."""


def canonical(module: str) -> str:
    """The current name of a module that older Pythons and numpys wrote."""
    return _MOVED.get(module, module)


def is_name(thing: Any, module: str, name: str) -> bool:
    """Whether ``thing`` is the Name of exactly that."""
    return isinstance(thing, Name) and (canonical(thing.module), thing.name) == (module, name)


def require(condition: bool, what: str) -> None:
    """Raises UnwantedError saying ``what`` unless ``condition`` holds."""
    if not condition:
        raise UnwantedError(what)
