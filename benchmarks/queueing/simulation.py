"""Workers that answer one request at a time, and commit what waits together."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Service:
    """What a request needs; times in seconds."""

    answering: float  # of one worker, for each request
    transaction: float  # of the one lock that all workers commit under
    row: float  # of the same lock, for each row of a transaction
    shares: Sequence[float] = (1, 1)  # of the requests, by worker: in whatever unit

    @property
    def most(self) -> float:
        """The busiest worker's share of all requests."""
        return max(self.shares) / sum(self.shares)

    @property
    def capacity(self) -> float:
        """Requests per second at which the busiest worker is always busy."""
        return 1 / (self.answering * self.most)


def simulate(
    service: Service, per_second: float, requests: int, chance: random.Random
) -> list[float]:
    """How long each request took, in seconds, when they come at random (a Poisson process).

    A request waits for its worker, is answered, and waits for the commit. As in
    ``predictor/log/writer/commits.py`` a worker has one transaction at a time; its requests that
    are ready when it gets the lock share it. Workers get the lock in the order they asked.
    """
    queues = _answer(service, per_second, requests, chance)
    asked_at = [queue[0][0] if queue else inf for queue in queues]  # for the lock
    heads, lock_free_at, taken = [0] * len(queues), 0.0, []
    while (asked := min(asked_at)) < inf:
        worker = asked_at.index(asked)
        queue, first = queues[worker], heads[worker]
        begins, last = max(asked, lock_free_at), first + 1
        while last < len(queue) and queue[last][0] <= begins:
            last += 1
        ends = begins + service.transaction + service.row * (last - first)
        taken += [ends - came for _, came in queue[first:last]]
        heads[worker], lock_free_at = last, ends
        asked_at[worker] = max(queue[last][0], ends) if last < len(queue) else inf
    return taken


def _answer(
    service: Service, per_second: float, requests: int, chance: random.Random
) -> list[list[tuple[float, float]]]:
    """By worker, in their order: when each request was ready to be committed, and when it came."""
    queues: list[list[tuple[float, float]]] = [[] for _ in service.shares]
    now, free_at = 0.0, [0.0] * len(queues)
    for worker in chance.choices(range(len(queues)), service.shares, k=requests):
        now += chance.expovariate(per_second)
        free_at[worker] = max(now, free_at[worker]) + service.answering
        queues[worker].append((free_at[worker], now))
    return queues


def quantile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
