"""The number of connections of one address in this worker."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import ip_address, ip_network


class TooManyConnections(Exception):
    """The address has as many connections as allowed."""


class Addresses:
    """Counts connections by address (IPv6 by /64 network); trusted proxies have no limit."""

    def __init__(self, most: int, trusted: list[str]) -> None:
        """``most`` connections of an address; 0: no limit."""
        self._most = most
        self._trusted = [ip_network(each, strict=False) for each in trusted]
        self._held: Counter[str] = Counter()
        self._name = lru_cache(maxsize=4096)(self._named)

    @contextmanager
    def connection(self, address: str) -> Iterator[None]:
        """Count a connection while it is open. Raises TooManyConnections at once."""
        name = self._name(address)
        if name and self._held[name] >= self._most > 0:
            raise TooManyConnections
        self._held[name] += 1
        try:
            yield
        finally:
            self._held[name] -= 1
            if not self._held[name]:
                del self._held[name]

    def _named(self, address: str) -> str:
        """The name under which an address is counted; empty for a trusted proxy or no address."""
        try:
            found = ip_address(address)
        except ValueError:
            return ""
        found = getattr(found, "ipv4_mapped", None) or found
        if any(found in network for network in self._trusted):
            return ""
        return str(found if found.version == 4 else ip_network(f"{found}/64", strict=False))
