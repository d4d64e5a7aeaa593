"""Ids sort by time, even if the clock changes."""

import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from predictor.log import uuid7 as ids
from predictor.log.uuid7 import first_at, following, time_of, uuid7, uuid7s

HOUR = 3_600 * 10**9  # nanoseconds


@pytest.fixture
def clock(monkeypatch):
    """A clock that does not move; its value is set by adding to it."""
    now = [time.time_ns()]
    monkeypatch.setattr(ids, "_last", 0)
    monkeypatch.setattr("predictor.log.uuid7.time.time_ns", lambda: now[0])
    return now


def test_it_works():
    before = datetime.now(UTC)
    made = [uuid7() for _ in range(2_000)]
    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    assert before - timedelta(milliseconds=1) <= time_of(made[0]) <= datetime.now(UTC)


def test_ids_of_one_moment_increase(clock):
    made = [uuid7() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_ids_of_one_draw_are_between_those_before_and_after(clock):
    made = [uuid7(), *uuid7s(1_000), uuid7(), *uuid7s(3), uuid7()]
    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    assert len({one.int & (2**62 - 1) for one in made}) == len(made)


def test_ids_increase_over_a_small_step_back(clock):
    before = uuid7()
    clock[0] -= 5 * 10**9
    assert uuid7() > before


def test_a_clock_that_was_an_hour_ahead_is_not_believed_for_an_hour(clock):
    right = datetime.fromtimestamp(clock[0] / 1e9, UTC)
    clock[0] += HOUR
    uuid7()
    clock[0] -= HOUR
    assert abs(time_of(uuid7()) - right) < timedelta(seconds=1)
    made = [uuid7() for _ in range(100)]
    assert made == sorted(set(made))


def test_a_forked_process_draws_others():
    uuid7()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, uuid7().bytes)
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 16)[8:] != uuid7().bytes[8:]
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("millisecond", [0, 1, 9, 57, 113, 999])
def test_a_moment_begins_with_its_first_id(millisecond):
    moment = datetime(2026, 11, 23, 12, 0, 0, millisecond * 1000, tzinfo=UTC)
    assert time_of(first_at(moment)) == moment
    assert time_of(first_at(moment + timedelta(microseconds=999))) == moment
    assert time_of(first_at(datetime(109, 1, 1, tzinfo=UTC))) == ids.EPOCH


@pytest.mark.slow
def test_ids_that_follow_are_in_order_and_end_as_if_drawn():
    first = uuid7()
    ids = [following(first, place, b"k") for place in range(5_000)]
    assert ids[0] == first
    assert ids == sorted(set(ids))
    assert ids == [following(first, place, b"k") for place in range(5_000)]
    assert not set(ids[1:]) & {following(first, place, b"other") for place in range(5_000)}
    assert {identity.version for identity in ids} == {7}
    assert (time_of(ids[-1]) - time_of(first)).total_seconds() <= 0.003
    low = sum(identity.int % 2**16 < 2**15 for identity in ids)
    assert 2_200 < low < 2_800
