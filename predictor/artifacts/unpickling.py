"""The only place in the project where a pickle is turned into objects.

Bytes are inspected first (``inspection.py`` builds nothing). Then the C unpickler loads an
estimator, and may import only the exact names on the allow-list; lookups and flags are read off the
inspection's drawing.
"""

import io
import json
import pickle
import warnings
from typing import Any

from .contract import Contract, build_contract
from .errors import ArtifactError
from .files import FLAGS, LOOKUP, VersionFiles
from .pickles.allowlist import PLAIN_NAMES, AllowList, estimator_names
from .pickles.blueprint import Made, UnwantedError
from .pickles.inspection import Inspection, inspect
from .pickles.plain import plain_value
from .policy import Limits, Policy

_SUCH_AS = {
    LOOKUP: '{"city": list(cities), "age": 0}',
    FLAGS: "list(map(str, model.classes_))",
}
_ESTIMATORS = ("estimator", "trusted")

# Everything that pickle.load raises for a damaged or foreign pickle.
_BROKEN = (
    pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError,
    MemoryError, OverflowError, RecursionError, TypeError, ValueError,
)  # fmt: skip


class _ListedUnpickler(pickle.Unpickler):
    """Imports only listed names, and remembers their order."""

    def __init__(self, data: bytes, allowed: AllowList) -> None:
        super().__init__(io.BytesIO(data))
        self._allowed = allowed
        self.wanted: list[tuple[str, str]] = []

    def find_class(self, module: str, name: str) -> Any:
        self.wanted.append((module, name))
        return self._allowed.resolve(module, name)


def load_plain(name: str, data: bytes, limits: Limits) -> Any:
    """Containers, text and numbers from ``data``, arrays as lists.

    Imports nothing, not even numpy. Raises ArtifactError when it holds anything else.
    """
    allowed = AllowList(PLAIN_NAMES)
    inspection = inspect(data, allowed, limits)
    if unlisted := [n for n in inspection.wanted if allowed.kind(*n) is None]:
        raise ArtifactError(
            f"{name} asks for {'.'.join(unlisted[0])}: it may hold dictionaries, lists, texts and "
            f"numbers, such as {_SUCH_AS[name]}"
        )
    if inspection.refusal:
        raise ArtifactError(f"{name} {inspection.refusal}")
    try:
        return plain_value(inspection.root)
    except UnwantedError as error:
        raise ArtifactError(f"{name} {error}") from error
    except (TypeError, UnicodeDecodeError, RecursionError) as error:
        raise ArtifactError(f"{name} cannot be read: {error}") from error


def read_contract(files: VersionFiles, policy: Policy) -> Contract:
    """The contract of a version's lookup, flags and metadata. Raises ArtifactError."""
    return build_contract(
        load_plain(LOOKUP, files.content[LOOKUP], policy.limits),
        load_plain(FLAGS, files.content[FLAGS], policy.limits),
        files.metadata,
    )


def inspect_estimator(data: bytes, policy: Policy) -> Inspection:
    """What the estimator's pickle imports and holds, without building any of it."""
    found = inspect(data, _allowed(policy), policy.limits)
    root = found.root
    if not found.refusal and not (isinstance(root, Made) and root.cls.kind in _ESTIMATORS):
        what = root.cls.name if isinstance(root, Made) else type(root).__name__
        found.refusal = f"holds no estimator but a {what}{_where_it_is(root)}"
    return found


def _where_it_is(root: Any) -> str:
    """How to dump the estimator alone, where the pickle holds it among other things."""
    pairs = root.items() if isinstance(root, dict) else enumerate(root if isinstance(
        root, list | tuple) else ())  # fmt: skip
    for key, part in pairs:
        if isinstance(part, Made) and part.cls.kind in _ESTIMATORS:
            return f': pickle.dump(d[{json.dumps(key)}], open("model.pkl", "wb"))'
    return ""


def load_estimator(
    name: str, data: bytes, policy: Policy, inspection: Inspection | None = None
) -> Any:
    """The estimator in ``data``, whose inspection (now or earlier) found nothing to refuse.

    Raises ArtifactError when the bytes cannot be loaded, or do not import exactly the names that
    ``inspection`` saw, in the same order.
    """
    with warnings.catch_warnings():
        # scikit-learn warns of another version; made_with.py has checked that already
        warnings.simplefilter("ignore")
        return _load(name, data, _allowed(policy), inspection)


def _allowed(policy: Policy) -> AllowList:
    return AllowList(estimator_names(), policy.modules)


def _load(name: str, data: bytes, allowed: AllowList, inspection: Inspection | None) -> Any:
    unpickler = _ListedUnpickler(data, allowed)
    try:
        loaded = unpickler.load()
    except _BROKEN as error:
        raise ArtifactError(f"{name} cannot be loaded: {error}") from error
    if inspection is not None and unpickler.wanted != inspection.wanted:
        raise ArtifactError(f"{name} reads differently in inspection and in loading")
    return loaded
