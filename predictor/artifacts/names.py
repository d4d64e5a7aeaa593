"""The names a model and a version may have: safe as a folder, a URL part and a blob prefix."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from .errors import ArtifactError

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_NAME = re.compile(NAME_PATTERN)

# A model's page is at /{name}/, so these names would hide routes of ours, or be hidden by them.
RESERVED_MODEL_NAMES = frozenset({"admin", "api", "healthz", "metrics", "readyz", "static", "v2"})


def check_name(kind: str, name: str) -> str:
    """Return ``name``, or raise ArtifactError when it cannot name a ``kind`` of thing."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise ArtifactError(
            f"{name!r} cannot name a {kind}: use 1 to 64 letters (A to Z, a to z), digits, '.', "
            "'_' or '-', starting with a letter or digit"
        )
    return name


def reserved(name: str) -> str:
    """The error for a model with one of RESERVED_MODEL_NAMES."""
    return f"{name!r} cannot name a model: the server has a route of that name"


def check_model_name(name: str) -> str:
    """Return ``name``, or raise ArtifactError when no model may be called that."""
    if name in RESERVED_MODEL_NAMES:
        raise ArtifactError(reserved(name))
    return check_name("model", name)


def first_twin(names: Iterable[str]) -> str | None:
    """The first of ``names`` that occurs more than once, or None."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def version_key(version: str) -> tuple[Any, ...]:
    """Sort key that orders versions as people do: 1.9.0 before 1.10.0, 2.0.0-rc1 before 2.0.0."""
    release, dash, suffix = version.partition("-")
    return (_parts(release), not dash, _parts(suffix))


def _parts(text: str) -> tuple[tuple[int, int, str], ...]:
    pieces = re.findall(r"\d+|[^\d._-]+", text)
    return tuple((1, int(p), "") if p.isdecimal() else (0, 0, p) for p in pieces)


def passes(check: Callable[[str], str], name: str) -> bool:
    """Whether ``check`` finds nothing wrong with ``name``."""
    try:
        check(name)
    except ArtifactError:
        return False
    return True
