"""The gunicorn worker itself: it refuses, limits, and closes without a reset."""

import contextlib
import errno
import select
import socket
from types import SimpleNamespace

import gevent.socket
import pytest
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.http import errors

from batcomputer.worker import Worker, bodies, deadlines, refusals
from batcomputer.worker.addresses import Addresses, TooManyConnections
from batcomputer.worker.listener import Listener
from predictor.http.limits import BODY_BYTES, CSV_BYTES, largest_body
from predictor.http.problems import CONTENT_TYPE, headers_of
from tests import wire


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (deadlines.TooSlow(), 408),
        (bodies.TooBusy(), 503),
        (bodies.CutShort(), 400),
        (bodies.TooLarge(), 413),
        (refusals.TwoHosts(), 400),
        (errors.LimitRequestLine(9000, 8000), 414),
        (errors.LimitRequestHeaders("too large"), 431),
        (errors.ExpectationFailed("miracles"), 417),
        (errors.UnsupportedTransferCoding("gzip"), 501),
        (errors.InvalidHeader("HOST"), 400),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_refusal_is_a_problem_document(error, status):
    answer = wire.parse(refusals.refusal_of(error).response())
    assert answer.status == answer.json["status"] == status
    assert answer.json["title"] not in ("", "The request failed")
    assert answer.headers["Content-Type"] == CONTENT_TYPE
    assert answer.headers["Connection"] == "close"
    assert headers_of(status).items() <= answer.headers.items()
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_mistake_of_ours_is_no_refusal():
    assert refusals.refusal_of(KeyError("oh")) is None
    assert wire.parse(refusals.UNEXPECTED.response()).status == 500


@pytest.mark.parametrize(
    ("content_type", "most"),
    [
        ("text/csv", CSV_BYTES),
        ("Text/CSV ; charset=utf-8", CSV_BYTES),
        ("application/json", BODY_BYTES),
        ("text/csvx", BODY_BYTES),
        ("", BODY_BYTES),
    ],
)
def test_only_a_csv_file_may_be_large(content_type, most):
    assert largest_body(content_type) == most


def test_django_has_the_worker_s_limit(settings):
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == BODY_BYTES


def test_a_client_that_comes_while_the_service_closes_is_refused_not_reset(monkeypatch):
    """Between the last accept and the close: a reset could be taken for a request that was lost."""
    close = StreamServer.close
    with gevent.socket.socket() as listening, socket.socket() as late:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = listening.getsockname()
        late.setblocking(False)

        def comes_late_and_close(server):
            late.connect_ex(address)
            close(server)

        monkeypatch.setattr(StreamServer, "close", comes_late_and_close)
        listener = Listener(listening, handle=lambda *_: None)
        listener.start()
        listener.close()
        _, answered, _ = select.select([], [late], [], 10)
        assert answered
        assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED


def test_a_busy_worker_lets_newcomers_wait_for_fewer_turns():
    """A worker that has none takes one at a time, so that the others have theirs."""
    with gevent.socket.socket() as listening:
        pool = Pool(100)
        listener = Listener(listening, handle=lambda *_: None, spawn=pool)
        assert listener.max_accept == 1
        waiting = [pool.spawn(gevent.sleep, 60) for _ in range(2)]
        assert listener.max_accept == 2
        waiting += [pool.spawn(gevent.sleep, 60) for _ in range(20)]
        assert listener.max_accept == 4
        gevent.killall(waiting)


@contextlib.contextmanager
def held(addresses, *others):
    with contextlib.ExitStack() as open_ones:
        for address in others:
            open_ones.enter_context(addresses.connection(address))
        yield


@pytest.mark.parametrize(
    ("others", "latest"),
    [
        (["203.0.113.9"] * 2, "203.0.113.9"),
        (["::ffff:203.0.113.9", "203.0.113.9"], "::ffff:203.0.113.9"),
        (["2001:db8::1", "2001:db8::2"], "2001:db8::3"),
    ],
)
def test_an_address_has_only_so_many_connections(others, latest):
    addresses = Addresses(2, [])
    with held(addresses, *others), pytest.raises(TooManyConnections), held(addresses, latest):
        pass
    with held(addresses, *others[1:], latest):
        pass  # those that are closed count no more


@pytest.mark.parametrize(
    ("most", "trusted", "address"),
    [
        (2, ["10.0.0.0/8"], "10.1.2.3"),
        (2, ["10.0.0.0/8"], "::ffff:10.1.2.3"),
        (2, [], ""),
        (0, [], "203.0.113.9"),
    ],
)
def test_some_may_have_all(most, trusted, address):
    addresses = Addresses(most, trusted)
    with held(addresses, *[address] * 9):
        pass


def test_no_address_takes_anothers_connections():
    addresses = Addresses(1, [])
    with held(addresses, "203.0.113.9", "203.0.113.10", "2001:db8::1", "2001:db8:0:1::1"):
        pass


class Head:
    """The attributes that check_head reads."""

    headers = [("HOST", "bat")]
    uri = "/"

    def __init__(self, version):
        self.version = version


@pytest.mark.parametrize(
    ("sent", "answered"), [((1, 9), (1, 1)), ((1, 1), (1, 1)), ((1, 0), (1, 0))]
)
def test_no_version_is_answered_that_is_not_spoken(sent, answered):
    head = Head(sent)
    refusals.check_head(head)
    assert head.version == answered


class Kept(Head):
    """A head with one Connection header, and whether its connection is closed after the answer."""

    closes = False

    def __init__(self, value):
        super().__init__((1, 1))
        self.headers = [*Head.headers, ("CONNECTION", value)]

    def force_close(self):
        self.closes = True


@pytest.mark.parametrize(
    ("value", "closes"),
    [
        ("close", True),
        ("TE, Close", True),
        ("close ,keep-alive", True),
        ("keep-alive", False),
        ("closed, enclose", False),
        ("", False),
    ],
)
def test_a_client_may_ask_for_the_end_among_other_options(value, closes):
    head = Kept(value)
    refusals.check_head(head)
    assert head.closes is closes


@pytest.mark.parametrize(("number", "lines"), [(errno.EMFILE, 1), (errno.EBADF, 0)])
def test_too_many_open_files_are_one_sentence(number, lines):
    said = []
    worker = Worker.__new__(Worker)
    worker.log = SimpleNamespace(error=lambda text, *_, **more: said.append((text, more)))
    error = OSError(number, "an error of accept")
    worker._log_exception("a listener", OSError, error, None)
    ((text, more),) = said
    assert ("ulimit -n" in text) == bool(lines)
    assert ("exc_info" in more) != bool(lines)
