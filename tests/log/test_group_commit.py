"""Requests that wait at the same moment share a transaction, and each is on record."""

import threading

import pytest

from predictor.log.writer.commits import LogWriter
from predictor.log.writer.spool import Spool
from tests.deadlines import eventually


class SlowStore:
    """A database that lets a process write when the test says so."""

    def __init__(self):
        self.turn = threading.Semaphore(0)
        self.commit = threading.Semaphore(0)
        self.waiting = self.writing = 0
        self.batches = []

    def insert_in_turn(self, take, refuse):
        self.waiting += 1
        self.turn.acquire()
        rows = list(take())
        self.writing += 1
        self.commit.acquire()
        self.batches.append(rows)

    def close(self):
        pass


@pytest.fixture
def store():
    return SlowStore()


@pytest.fixture
def ask(store, tmp_path):
    """Record one row in a separate thread; ``ask.gathered()``: rows that wait in a batch."""
    log_writer = LogWriter(lambda: store, Spool(tmp_path / "spool"))
    threads = []

    def ask(row):
        threads.append(threading.Thread(target=log_writer.record, args=([row],)))
        threads[-1].start()
        return threads[-1]

    ask.gathered = lambda: len(log_writer._gathering.rows)
    yield ask
    for thread in threads:
        thread.join(10)


def test_it_works(store, ask):
    store.turn.release()
    store.commit.release()
    ask(("one",)).join(10)
    assert store.batches == [[("one",)]]


def test_those_who_come_before_its_turn_join_the_batch(store, ask):
    ask((0,))
    eventually(lambda: store.waiting == 1)
    others = [ask((number,)) for number in range(1, 5)]
    eventually(lambda: ask.gathered() == 5)
    store.turn.release()
    store.commit.release()
    for other in others:
        other.join(10)
    assert [sorted(batch) for batch in store.batches] == [[(0,), (1,), (2,), (3,), (4,)]]


def test_those_who_come_while_it_is_written_wait_for_the_next(store, ask):
    first = ask(("first",))
    store.turn.release()
    eventually(lambda: store.writing == 1)
    late = ask(("late",))
    store.commit.release()
    first.join(10)
    assert store.batches == [[("first",)]]
    assert late.is_alive()
    store.turn.release()
    store.commit.release()
    late.join(10)
    assert store.batches == [[("first",)], [("late",)]]
