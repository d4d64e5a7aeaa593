"""A load whose requests come when they come, whether the server keeps up or not.

``wrk`` asks again when it was answered, so a slow server is asked less often, and the waiting that
others would have had is left out. Here a time is fixed for each request beforehand, and its
latency is counted from that time, also while it waits for a connection.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import selectors
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from benchmarks.load import LoadError

_PATIENCE = 30  # seconds, for what is still to be answered after the last request


class _Connection(asyncio.Protocol):
    """One connection that is kept open; it has one request at a time."""

    def __init__(self, answered: Callable[[_Connection, bytes], None]) -> None:
        self._answered = answered
        self._received = b""
        self.intended = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def ask(self, request: bytes, intended: float) -> None:
        self.intended = intended
        self._transport.write(request)  # type: ignore[attr-defined] # a stream's can

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r")[0]
        if end and len(body) >= int(length):
            self._received = b""
            self._answered(self, head)

    def connection_lost(self, error: Exception | None) -> None:
        self._answered(self, b"a connection was closed")


class Arrivals:
    """Asks ``requests`` in turn over connections drawn at random."""

    def __init__(self, requests: Sequence[bytes], seed: int = 0) -> None:
        self._requests = itertools.cycle(requests)
        self._chance = random.Random(seed)  # noqa: S311 - the same draw every time
        self._free: list[_Connection] = []
        self._connections: list[_Connection] = []
        self._waiting: deque[float] = deque()
        self._latencies: list[float] = []
        self._until = 0.0
        self._problem = ""
        self._idle = asyncio.Event()

    async def open(self, port: int, connections: int) -> None:
        """Open ``connections``, and ask over each, so that a worker has taken it.

        A worker that is busy with an answer leaves the next connection to another.
        """
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, connection = await loop.create_connection(
                lambda: _Connection(self._answered), "127.0.0.1", port
            )
            self._connections.append(connection)
            self._free.append(connection)
            self._ask(loop.time())
        await self._all()

    async def at(self, moments: Sequence[float]) -> list[float]:
        """Ask at ``moments`` (ascending seconds from now); what each took, in seconds.

        Raises LoadError when any answer is missing or not a success.
        """
        loop = asyncio.get_running_loop()
        self._latencies = []
        began = loop.time()
        for moment in moments:
            await asyncio.sleep(max(began + moment - loop.time(), 0))
            self._ask(began + moment)
        return await self._all()

    async def again(self, many: int, seconds: float) -> list[float]:
        """Have ``many`` requests on their way for ``seconds``: each answer is the next request."""
        loop = asyncio.get_running_loop()
        self._latencies = []
        self._until = loop.time() + seconds
        for _ in range(many):
            self._ask(loop.time())
        await asyncio.sleep(seconds)
        return await self._all()

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections:
            connection.close()

    async def _all(self) -> list[float]:
        try:
            await asyncio.wait_for(self._idle.wait(), _PATIENCE)
        except TimeoutError:
            self._problem = f"no answer for {_PATIENCE} s"
        if self._problem:
            raise LoadError(f"the server was asked at random times: {self._problem}")
        return self._latencies

    def _ask(self, intended: float) -> None:
        self._idle.clear()
        self._waiting.append(intended)
        self._send()

    def _send(self) -> None:
        while self._waiting and self._free:
            at = self._chance.randrange(len(self._free))
            self._free[at], self._free[-1] = self._free[-1], self._free[at]
            self._free.pop().ask(next(self._requests), self._waiting.popleft())

    def _answered(self, connection: _Connection, head: bytes) -> None:
        status = head.partition(b"\r\n")[0]
        if b" 200 " not in status:
            self._problem = self._problem or status.decode("latin-1")
            self._idle.set()
            return
        now = asyncio.get_running_loop().time()
        self._latencies.append(now - connection.intended)
        self._free.append(connection)
        if now < self._until:
            self._waiting.append(now)
        self._send()
        if not self._waiting and len(self._free) == len(self._connections):
            self._idle.set()


@contextmanager
def precise_loop() -> Iterator[asyncio.Runner]:
    """A loop that wakes within microseconds: epoll's would round up to the next millisecond."""
    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
    ) as runner:
        yield runner


def at_random(per_second: float, requests: int, chance: random.Random) -> list[float]:
    """Moments of a Poisson process, in seconds."""
    return list(itertools.accumulate(chance.expovariate(per_second) for _ in range(requests)))
