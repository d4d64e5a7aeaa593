"""Workers that answer one request at a time, and commit what waits together."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, count
from math import inf


@dataclass(frozen=True)
class Service:
    """What a request needs; times in seconds."""

    answering: float  # of one worker, for each request
    transaction: float  # of the one lock that all workers commit under
    row: float  # of the same lock, for each row of a transaction
    commit: float = 0  # of the worker, for each of its transactions: two threads take turns
    together: float = 1  # rows of a transaction while all workers are busy
    shares: Sequence[float] = (1, 1)  # of the requests, by worker: in whatever unit

    @property
    def most(self) -> float:
        """The busiest worker's share of all requests."""
        return max(self.shares) / sum(self.shares)

    @property
    def capacity(self) -> float:
        """Requests per second at which the busiest worker is always busy."""
        return 1 / ((self.answering + self.commit / self.together) * self.most)


@dataclass
class _Job:
    """What a worker does for requests: it answers one, or takes several back from a commit."""

    seconds: float
    came: Sequence[float] = ()  # when the request did
    is_committed: bool = False


@dataclass
class _Worker:
    jobs: deque[_Job] = field(default_factory=deque)  # the first is being done
    ready: list[float] = field(default_factory=list)  # when those came that wait for a commit
    commits: bool = False  # from its wish for the lock until it has taken the commit back
    committed: list[float] = field(default_factory=list)  # when those came that have the lock


def simulate(
    service: Service, per_second: float, requests: int, chance: random.Random
) -> list[float]:
    """How long each request took, in seconds, when they come at random (a Poisson process).

    A request waits for its worker, is answered, waits for the commit, and again for its worker,
    which sends the answer. As in ``predictor/log/writer/commits.py`` a worker has one transaction
    at a time; its requests that are ready when it gets the lock share it. Workers get the lock in
    the order they asked.
    """
    queue = _Queue(service)
    moments = accumulate(chance.expovariate(per_second) for _ in range(requests))
    for moment in moments:
        queue.run_until(moment)
        (worker,) = chance.choices(queue.workers, service.shares)
        queue.add(moment, worker, _Job(service.answering, [moment]))
    queue.run_until(inf)
    return queue.taken


class _Queue:
    """What ends when: of each worker the job it does, and the transaction that has the lock."""

    def __init__(self, service: Service) -> None:
        self.taken: list[float] = []
        self.workers = [_Worker() for _ in service.shares]
        self._service = service
        self._for_the_lock: deque[_Worker] = deque()  # the first has it
        self._ends: list[tuple[float, int, Callable[[float, _Worker], None], _Worker]] = []
        self._order = count()  # of what ends at one moment

    def run_until(self, moment: float) -> None:
        """Let everything end that does so before ``moment``."""
        while self._ends and self._ends[0][0] <= moment:
            now, _, has_ended, worker = heapq.heappop(self._ends)
            has_ended(now, worker)

    def add(self, now: float, worker: _Worker, job: _Job) -> None:
        """Have the worker do this job after those that it has."""
        worker.jobs.append(job)
        if len(worker.jobs) == 1:
            self._end_at(now + job.seconds, self._job_ended, worker)

    def _end_at(
        self, moment: float, has_ended: Callable[[float, _Worker], None], worker: _Worker
    ) -> None:
        heapq.heappush(self._ends, (moment, next(self._order), has_ended, worker))

    def _job_ended(self, now: float, worker: _Worker) -> None:
        job = worker.jobs.popleft()
        if worker.jobs:
            self._end_at(now + worker.jobs[0].seconds, self._job_ended, worker)
        if job.is_committed:
            self._send(now, worker)
        else:
            worker.ready += job.came
            self._ask_for_the_lock(now, worker)

    def _send(self, now: float, worker: _Worker) -> None:
        self.taken += [now - came for came in worker.committed]
        worker.commits = False
        self._ask_for_the_lock(now, worker)

    def _ask_for_the_lock(self, now: float, worker: _Worker) -> None:
        if worker.commits or not worker.ready:
            return
        worker.commits = True
        self._for_the_lock.append(worker)
        if len(self._for_the_lock) == 1:
            self._begin(now)

    def _begin(self, now: float) -> None:
        worker = self._for_the_lock[0]
        worker.committed, worker.ready = worker.ready, []
        seconds = self._service.transaction + self._service.row * len(worker.committed)
        self._end_at(now + seconds, self._transaction_ended, worker)

    def _transaction_ended(self, now: float, worker: _Worker) -> None:
        self._for_the_lock.popleft()
        if self._for_the_lock:
            self._begin(now)
        if self._service.commit:
            self.add(now, worker, _Job(self._service.commit, is_committed=True))
        else:
            self._send(now, worker)


def quantile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
