"""Privacy: the fields of a request that the settings keep out of the log, or hash."""

import hmac
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from django.conf import settings

_PSEUDONYM = re.compile("hash:[0-9a-f]{16}")


def as_kept(model: str, items: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """``items`` as the log keeps them, without LOG_LEAVES_OUT and with LOG_HASHES hashed."""
    if not settings.LOG_LEAVES_OUT and not settings.LOG_HASHES:
        return items
    left_out = left_out_fields(model)
    hashed = hashed_fields(model)
    return [
        {
            name: f"hash:{pseudonym(f'{name}={value}')}" if name in hashed else value
            for name, value in item.items()
            if name not in left_out
        }
        for item in items
    ]


def left_out_fields(model: str) -> frozenset[str]:
    """The model's features that the log does not keep."""
    return _fields(model, tuple(settings.LOG_LEAVES_OUT))


def hashed_fields(model: str) -> frozenset[str]:
    """The model's features that the log keeps as hashes."""
    return _fields(model, tuple(settings.LOG_HASHES))


def is_pseudonym(value: Any) -> bool:
    """Whether ``value`` is a hash that the log keeps instead of the value itself."""
    return isinstance(value, str) and _PSEUDONYM.fullmatch(value) is not None


def is_kept_as_it_is(model: str, field: str) -> bool:
    """Whether the database may keep the field's values in plain text."""
    private = {*settings.LOG_LEAVES_OUT, *settings.LOG_HASHES}
    return f"{model}.{field}" not in private


@lru_cache(maxsize=4096)
def pseudonym(text: str) -> str:
    """16 hex digits that stand for ``text`` and do not reveal it without SECRET_KEY."""
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), "sha256").hexdigest()[:16]


@cache
def _fields(model: str, names: tuple[str, ...]) -> frozenset[str]:
    start = f"{model}."
    return frozenset(name.removeprefix(start) for name in names if name.startswith(start))
