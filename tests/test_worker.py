"""What the gunicorn worker does itself: it refuses, limits, and closes without a reset."""

import errno
import select
import socket

import gevent.socket
import pytest
from gevent.server import StreamServer
from gunicorn.http import errors

from batcomputer.worker import bodies, deadlines, refusals
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
