"""What the pickle of an estimator may name: exact names, never a module as a whole.

``allowlist.json`` is made from the installed scikit-learn by ``scripts/allowlist.py``; the few
functions that loading may call are in ``calls.py``. Names of other libraries come from the
operator (``Policy.modules``) and are let in as classes, or as functions that are kept.
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

# What a lookup or the flags may name besides containers, text and numbers: numpy's scalars, and
# arrays such as model.classes_ as it is.
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
    """Which names are let in, and as what.

    Kinds: ``estimator`` and ``plain`` (classes made empty and given their attributes), ``call``
    (made by a call whose arguments are checked), ``compiled`` and ``argument`` (types that such a
    call may be given), ``type``, ``function`` and ``elementwise`` (stored, never called while
    loading), ``trusted`` (a class or function of the operator's).
    """

    def __init__(self, names: dict[tuple[str, str], str], modules: Collection[str] = ()) -> None:
        self._names = names
        self._modules = frozenset(modules)

    def kind(self, module: str, name: str) -> str | None:
        """What ``module.name`` is let in as; None when it is not."""
        module = canonical(module)
        if kind := self._names.get((module, name)):
            return kind
        return "trusted" if module in self._modules and "." not in name else None

    def resolve(self, module: str, name: str) -> Any:
        """Import what is let in; nothing is imported before the list says yes.

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
