"""What the pickle of an estimator may name: exact names, never a whole module.

``allowlist.json`` is made from the installed scikit-learn by ``scripts/allowlist.py``; the few
functions that loading may call are in ``calls.py``. The operator allows modules of other libraries
(``Policy.modules``): their classes, and their functions as values.
"""

import importlib
import json
import pickle
from collections.abc import Collection
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from .blueprint import canonical
from .calls import CALLED_TYPES, CALLS

TABLE = Path(__file__).with_name("allowlist.json")

# What a lookup or the flags may name besides containers, text and numbers: numpy scalars, and
# arrays such as model.classes_.
PLAIN_NAMES = {
    ("collections", "OrderedDict"): "call",
    ("numpy", "dtype"): "call",
    ("numpy._core.multiarray", "scalar"): "call",
    ("_codecs", "encode"): "call",
    ("numpy", "ndarray"): "argument",
    ("numpy._core.multiarray", "_reconstruct"): "call",
    ("numpy._core.numeric", "_frombuffer"): "call",
}


class AllowList:
    """Which names are allowed, and as what.

    Kinds: ``estimator`` and ``plain`` (classes made empty and given their attributes), ``call``
    (made by a call whose arguments are checked), ``compiled`` and ``argument`` (types that such a
    call may be given), ``type``, ``constant``, ``function`` and ``elementwise`` (stored, never
    called while loading), ``trusted`` (a class or function that the operator allows).
    """

    def __init__(self, names: dict[tuple[str, str], str], modules: Collection[str] = ()) -> None:
        self._names = names
        self._modules = frozenset(modules)

    def kind(self, module: str, name: str) -> str | None:
        """The kind under which ``module.name`` is allowed; None when it is not."""
        module = canonical(module)
        if kind := self._names.get((module, name)):
            return kind
        return "trusted" if module in self._modules and "." not in name else None

    def resolve(self, module: str, name: str) -> Any:
        """Import an allowed name; nothing is imported before the list allows it.

        Raises pickle.UnpicklingError for anything else.
        """
        kind = self.kind(module, name)
        if kind is None:
            raise pickle.UnpicklingError(f"{module}.{name} is not on the list")
        found = getattr(importlib.import_module(canonical(module)), name)
        plain = isinstance(found, type | FunctionType)  # a function is kept, never called here
        if kind == "trusted" and not (plain and found.__module__ == module):
            raise pickle.UnpicklingError(f"{module}.{name} is no class or function of {module}")
        return found


@cache
def estimator_names() -> dict[tuple[str, str], str]:
    """The reviewed table: (module, name) → kind."""
    table = json.loads(TABLE.read_text())
    names = {
        (module, name): kind
        for kind, group in table.items()
        if isinstance(group, dict)
        for module, listed in group.items()
        for name in listed
    }
    return names | dict.fromkeys(CALLED_TYPES, "argument") | dict.fromkeys(CALLS, "call")
