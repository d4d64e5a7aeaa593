"""Messages arrive whole, or the connection counts as ended."""

import math
import socket

import pytest

from predictor.scoring.protocol import (
    Channel,
    Manner,
    MessageKind,
    pack_rows,
    pack_scores,
    pack_values,
    unpack_rows,
    unpack_scores,
)


@pytest.fixture
def ends():
    one, other = socket.socketpair()
    with one, other:
        yield Channel(one), Channel(other)


def test_it_works(ends):
    here, there = ends
    here.send(MessageKind.FLOATS, b"12345678", Manner.GROUP)
    here.send(MessageKind.HELLO)
    assert there.receive(8, 1) == (MessageKind.FLOATS, Manner.GROUP, b"12345678")
    assert there.receive(8, 1) == (MessageKind.HELLO, Manner.ARRAY, b"")


@pytest.mark.parametrize("rows", [[(1, 2.5), (0.1, -3)], [(2**53, 1e-300)]])
def test_numbers_keep_every_bit(rows):
    kind, content = pack_rows(rows)
    assert kind is MessageKind.FLOATS
    assert unpack_rows(kind, content, 2) == [tuple(map(float, row)) for row in rows]


@pytest.mark.parametrize(
    "row", [("Blüdhaven", 1, 0.1), (None, 2**70, True), ((0.5, 0.25), "", -0.0)]
)
def test_other_values_stay_what_they_are(row):
    kind, content = pack_rows([row])
    assert kind is MessageKind.VALUES
    assert repr(unpack_rows(kind, content, 3)) == repr([row])


def test_whole_numbers_stay_whole_where_that_matters():
    kind, content = pack_values([(1, 1.0)])
    assert repr(unpack_rows(kind, content, 2)) == "[(1, 1.0)]"


def test_scores_keep_every_bit():
    scores = [[0.1, 1 / 3], [math.inf, -0.0]]
    assert repr(unpack_scores(pack_scores(scores), 2)) == repr(scores)


@pytest.mark.parametrize(
    "sent", [b"", b"\x01", b"\x08\x00\x00\x00\x02\x00half", b"\x00\x00\x00\x00\xff\x00"]
)
def test_it_rejects_what_is_no_message(ends, sent):
    here, there = ends
    here.socket.sendall(sent)
    here.close()
    with pytest.raises(EOFError):
        there.receive(100, 1)


def test_it_reads_no_more_than_was_expected(ends):
    here, there = ends
    here.socket.sendall(b"\xff\xff\xff\xff\x05\x00")
    with pytest.raises(EOFError, match="4294967295 bytes"):
        there.receive(1000, 1)


def test_it_waits_no_longer_than_it_may(ends):
    here, there = ends
    here.socket.sendall(b"\x08\x00")
    with pytest.raises(TimeoutError):
        there.receive(100, 0.05)
