"""A task's process cannot be trusted, nor its clock: it ran the code of a version."""

import math
import os
import socket
import struct
import tempfile
import time
from types import SimpleNamespace

import pytest

from predictor.artifacts.errors import ArtifactError
from predictor.scoring.children import Child
from predictor.scoring.clock import Clock
from predictor.scoring.protocol import Channel, MessageKind
from predictor.scoring.room import _outcome


def outcome(*said):
    ours, theirs = map(Channel, socket.socketpair())
    with ours.socket, theirs.socket:
        for kind, content in said:
            theirs.send(kind, content)
        theirs.socket.shutdown(socket.SHUT_RDWR)
        return _outcome(ours, 5)


def test_it_works():
    assert outcome((MessageKind.RESULT, b"1"), (MessageKind.ENDED, b"-11")) == (b"1", -11, "")
    assert outcome((MessageKind.PROBLEM, b"\xff"), (MessageKind.ENDED, b"1"))[2] == "\ufffd"


@pytest.mark.parametrize("end", [b"x", b"", b"1.5", b"-", b"9" * 5000, b"\xff", b"1\n2"])
def test_an_end_that_is_none_is_no_verdict(end):
    with pytest.raises(ArtifactError, match="could not be examined") as raised:
        outcome((MessageKind.ENDED, end))
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("set_to", "overdue"),
    [
        (0.0, False),
        ("now", False),
        (math.inf, True),
        (math.nan, True),
        (-3601.0, True),
        (1e300, True),
    ],
)
def test_a_process_cannot_set_its_clock_forward(set_to, overdue):
    with tempfile.TemporaryFile() as file:
        file.truncate(os.sysconf("SC_PAGESIZE"))
        clock = Clock(file.fileno())
        said = time.monotonic() if set_to == "now" else set_to
        struct.pack_into("d", clock._memory, 0, said)
        order = SimpleNamespace(terms={"patience": 60})
        child = Child(order, None, clock, lambda _: None, slowest=3600.0)
        assert child.is_overdue() is overdue
