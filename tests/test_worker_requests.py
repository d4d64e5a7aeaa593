"""The worker parses a request head as gunicorn alone does, after any earlier request."""

import re

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser

from batcomputer.worker.refusals import check_head
from batcomputer.worker.requests import Requests
from tests import wire
from tests.test_worker_exchange import CLIENT, Wire

FIRST = wire.request(Connection=None)
SIZE = len(wire.GOOD)
SAID = ("method", "uri", "path", "query", "version", "headers", "scheme", "must_close")
# Each replaces the Content-Length line: most of them are not valid HTTP/1.1.
LENGTHS = [
    b"",
    b"Content-Length:",
    b"Content-Length: ",
    b"Content-Length: 5",
    b"content-length: %d",
    b"Content-Length: 0%d",
    b"Content-Length: 0000000000000000000000000000%d",
    b"Content-Length: +%d",
    b"Content-Length: -%d",
    b"Content-Length: %d, %d",
    b"Content-Length: %d\r\nContent-Length: %d",
    b"Content-Length: %d\r\nContent-Length: 5",
    b"Content-Length: 5\r\nX: %d",
    b"Content-Length: %d\r\nTransfer-Encoding: chunked",
    b"Content-Length: 1_0",
    b"Content-Length: 0x1",
    b"Content-Length: \xb2",
    b"Content-Length: %d\x00",
    b"Content-Length: %d\nX: y",
    b"Content-Length: 4\r\n\r\n",
    b"Content-Length:\t%d",
    b"Content-Length: %d ",
    b"Content-Length : %d",
    b" Content-Length: %d",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: %d\r\nExpect: 100-continue",
    b"Content-Length: %d\r\nConnection: close",
    b"Content-Length: %d\r\nHost: evil.example",
    b"Content-Length: %d\r\n X: folded",
]


def made(requests):
    """The next request with its body, or the error."""
    try:
        request = next(requests)
        check_head(request)
        body = request.body.read()
    except Exception as error:  # noqa: BLE001 - compared
        return type(error)
    return {name: getattr(request, name) for name in SAID} | {"body": body}


def alone(raw):
    return made(get_parser(Config(), Wire(raw), CLIENT))


def other_lengths():
    for line in LENGTHS:
        filled = re.sub(rb"%d", str(SIZE).encode(), line)
        yield FIRST.replace(b"Content-Length: %d" % SIZE, filled)


OTHERS = [
    *other_lengths(),
    FIRST,
    FIRST.replace(b"POST", b"PUT"),
    FIRST.replace(b"/api/predict", b"/api/predicT"),
    FIRST.replace(b"HTTP/1.1", b"HTTP/1.0"),
    FIRST.replace(b"\r\n", b"\n"),
    b"\r\n" + FIRST,
    b"\r\n\r\n" + FIRST,
    FIRST.replace(b"Host: 127.0.0.1\r\n", b""),
    FIRST.replace(b"127.0.0.1", b"127.0.0.2"),
    FIRST[: FIRST.index(b"\r\n\r\n")],
    FIRST[:40],
    b"",
]


@pytest.mark.parametrize("second", OTHERS)
def test_no_head_is_taken_for_the_one_before(second):
    requests = Requests(Config(), Wire(FIRST, second), CLIENT)
    assert made(requests) == alone(FIRST)
    assert made(requests) == alone(second)


@pytest.mark.parametrize("first", OTHERS)
def test_whatever_came_before_is_no_part_of_the_next(first):
    requests = Requests(Config(), Wire(first, FIRST), CLIENT)
    if isinstance(before := made(requests), dict) and b"chunked" not in first:
        left = (first + FIRST).lstrip(b"\r\n").partition(b"\r\n\r\n")[2][len(before["body"]) :]
        assert made(requests) == alone(left)


PIECES = {
    "a body of its own": lambda raw: [*re.split(rb"(?<=\r\n\r\n)", raw)],
    "bytes": lambda raw: [raw[i : i + 1] for i in range(len(raw))],
    "a cut in the end of the head": lambda raw: re.split(rb"(?<=\r\n\r)(?=\n{)", raw),
    "a cut in the body": lambda raw: [raw[:-9], raw[-9:]],
    "two at once": lambda raw: [raw + raw],
    "two and a half": lambda raw: [raw + raw + raw[:50], raw[50:]],
}


@pytest.mark.parametrize("cut", PIECES.values(), ids=PIECES)
def test_it_does_not_matter_in_which_pieces_a_request_comes(cut):
    requests = Requests(Config(), Wire(FIRST, *cut(FIRST), FIRST, *cut(FIRST)), CLIENT)
    answers = [made(requests) for _ in range(4)]
    assert answers == [alone(FIRST)] * 4


def test_what_is_said_of_one_length_holds_for_another():
    longer = wire.request(body=wire.GOOD + b" " * 1000, Connection=None)
    shorter = wire.request(body=b"{}", Connection=None)
    requests = Requests(Config(), Wire(FIRST, longer, shorter, longer), CLIENT)
    assert [made(requests) for _ in range(4)] == [alone(raw) for raw in
                                                  (FIRST, longer, shorter, longer)]  # fmt: skip


def test_a_body_of_several_pieces_is_whole_and_no_more():
    raw = wire.request(body=b"x" * 100_000, Connection=None)
    pieces = [raw[i : i + 8192] for i in range(0, len(raw), 8192)]
    requests = Requests(Config(), Wire(raw, *pieces, FIRST), CLIENT)
    assert [made(requests) for _ in range(3)] == [alone(raw), alone(raw), alone(FIRST)]


def test_a_client_that_says_nothing_more_has_ended():
    requests = Requests(Config(), Wire(FIRST), CLIENT)
    assert made(requests)["body"] == wire.GOOD
    assert made(requests) is StopIteration


def test_a_long_head_is_parsed_each_time():
    raw = wire.request(X_Long="x" * 5000, Connection=None)
    requests = Requests(Config(), Wire(raw, raw), CLIENT)
    assert [made(requests), made(requests)] == [alone(raw)] * 2
