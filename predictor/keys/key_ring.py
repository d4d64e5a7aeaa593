"""The valid keys that this process has seen."""

import time
from hashlib import sha256
from typing import cast

from predictor.http.errors import DATABASE_AWAY
from predictor.keys.models import ApiKey

FRESH = 5.0  # seconds for which a lookup is cached: a revoked key may still work for that long
_MAX_KNOWN = 10_000


class InvalidKeyError(Exception):
    """The request has a key that is unknown, revoked or expired."""


class KeyRing:
    """A cache of valid keys, so that most requests need no query.

    While the database is down, keys in the cache stay valid.
    """

    def __init__(self) -> None:
        self._seen: dict[bytes, tuple[float, ApiKey]] = {}

    def find(self, shown: str) -> ApiKey:
        """The valid key for the text ``shown``. Raises InvalidKeyError, or a database error."""
        digest = sha256(shown.encode("utf-8", "replace")).digest()
        until, key = self._seen.get(digest, (0.0, None))
        if key is None or time.monotonic() >= until:
            try:
                key = _look_up(shown)
            except ApiKey.DoesNotExist:
                self._seen.pop(digest, None)
                raise InvalidKeyError from None
            except DATABASE_AWAY:
                if key is None:
                    raise
            self._keep(digest, key)
        if key.has_expired:
            raise InvalidKeyError
        return key

    def _keep(self, digest: bytes, key: ApiKey) -> None:
        if len(self._seen) >= _MAX_KNOWN:
            self._seen.clear()
        self._seen[digest] = (time.monotonic() + FRESH, key)


def _look_up(shown: str) -> ApiKey:
    if not shown.isascii() or not shown.isprintable():
        raise ApiKey.DoesNotExist
    return cast("ApiKey", ApiKey.objects.get_from_key(shown))
