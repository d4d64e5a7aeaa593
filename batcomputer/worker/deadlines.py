"""A client's socket with a deadline for each part of a request."""

import contextlib
import errno
import socket
import time
from typing import Any

import gevent
from gunicorn.http.errors import LimitRequestHeaders, ParseException

from predictor.http.limits import BODY_BYTES

HEAD_SECONDS = 10.0  # for the request line and headers, and for a new client's first byte
BODY_SECONDS = 20.0  # for a whole body of BODY_BYTES: 100 kB/s; a larger one gets more
GAP_SECONDS = 5.0  # without a byte, within a request
SEND_SECONDS = 30.0  # for a client to receive its response
LINGER_SECONDS = 2.0  # for a refused client to stop sending and read the error
HEAD_BYTES = 32 * 1024


class TooSlow(ParseException):
    """The client did not send its request in time."""


class Client:
    """A client's socket with a deadline for each part of a request; the rest is the socket's."""

    def __init__(self, sock: Any, idle: set["Client"], keepalive: float) -> None:
        """``idle``: the clients that wait for a request, ``keepalive`` seconds at most."""
        self._sock = sock
        self._idle = idle
        self._keepalive = keepalive
        self._patience = HEAD_SECONDS
        self._deadline: float | None = None  # None between two requests
        self._received = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def recv(self, size: int) -> bytes:
        """Like socket.recv. Raises TooSlow and LimitRequestHeaders."""
        if self._deadline is None:
            return self._first(size)
        if self._received > HEAD_BYTES:
            raise LimitRequestHeaders(f"more than {HEAD_BYTES} bytes")
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TooSlow
        self._sock.settimeout(min(left, GAP_SECONDS))
        try:
            data: bytes = self._sock.recv(size)
        except TimeoutError:
            raise TooSlow from None
        self._received += len(data)
        return data

    def _first(self, size: int) -> bytes:
        """The first bytes of a request; empty when the client sends none for too long."""
        self._sock.settimeout(self._patience)
        self._idle.add(self)
        try:
            data: bytes = self._sock.recv(size)
        except TimeoutError:
            return b""
        finally:
            self._idle.discard(self)
        self._deadline = time.monotonic() + HEAD_SECONDS
        self._received = len(data)
        return data

    def sendall(self, data: bytes) -> None:
        """Like socket.sendall, but a client that does not receive its response counts as gone."""
        self._sock.settimeout(SEND_SECONDS)
        try:
            self._sock.sendall(data)
        except TimeoutError as error:
            # with an errno, by which the worker knows that this is not a bug of ours
            raise BrokenPipeError(errno.EPIPE, "the client read too slowly") from error

    def begin_body(self, length: int) -> None:
        """Start the deadline of a body of ``length`` bytes."""
        self._deadline = time.monotonic() + BODY_SECONDS * max(1, length / BODY_BYTES)
        self._received = -length  # the limit of the headers no longer counts

    def end_request(self) -> None:
        """Note that the next byte begins another request."""
        self._deadline = None
        self._patience = self._keepalive

    def release(self) -> None:
        """End the wait for a request; one that has already arrived is still answered."""
        with contextlib.suppress(OSError):  # the client may have gone
            self._sock.shutdown(socket.SHUT_RD)

    def linger(self) -> None:
        """Read and discard what a client still sends, for a moment.

        Closing a socket with unread bytes resets the connection, and the client would never see
        its response.
        """
        with contextlib.suppress(OSError), gevent.Timeout(LINGER_SECONDS, False):
            self._sock.settimeout(LINGER_SECONDS)
            self._sock.shutdown(socket.SHUT_WR)
            while self._sock.recv(1 << 20):
                gevent.sleep(0)
