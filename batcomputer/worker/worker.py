"""The gunicorn worker: takes in whole requests, within deadlines and limits, before any work.

gunicorn's own gevent worker waits without end for a client that has sent half a request, and
answers what it cannot parse in HTML. Here every part of a request has a deadline, a body is in
memory before Django sees the request (so that a slow client never holds a database connection),
and every refusal is a problem document.
"""

import contextlib
import ctypes
import errno
import io
import os
import re
import socket
import struct
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

import gevent
from gevent.server import StreamServer
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidHeader,
    LimitRequestHeaders,
    LimitRequestLine,
    NoMoreData,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.workers.ggevent import GeventWorker

from predictor.http.problems import CONTENT_TYPE, MALFORMED, problem_bytes

HEAD_SECONDS = 10.0  # for the request line and headers, and for a new client's first byte
BODY_SECONDS = 20.0  # for a whole body: 2 MB at 100 kB/s
GAP_SECONDS = 5.0  # without a byte, within a request
SEND_SECONDS = 30.0  # for a client to take its answer
LINGER_SECONDS = 2.0  # for a refused client to stop sending and read why
LAST_CALL_SECONDS = 1.5  # for a request that is on its way when the worker is to end
HEAD_BYTES = 32 * 1024
BODY_BYTES = 2 * 2**20  # Django refuses larger ones (DATA_UPLOAD_MAX_MEMORY_SIZE); none is read
CSV_BYTES = 32 * 2**20  # likewise of text/csv (CSV_MAX_SIZE), which waits on disk
_PIECE = 2**16  # bytes
_SO_ATTACH_FILTER = 26  # Linux's; Python's socket module does not name it
HELD_BYTES = 128 * 2**20  # in bodies under way, of all clients of this worker


class TooSlow(ParseException):
    """The client did not send its request in time."""


class TooBusy(ParseException):
    """Too many large bodies are under way."""


class CutShort(ParseException):
    """The client ended its side of the connection before the body was whole."""


class TwoHosts(ParseException):
    """The target names another host than the Host header."""


_REFUSALS: list[tuple[type[Exception], int, str]] = [
    (TooSlow, 408, "the request was not received in time; send it in one go"),
    (TooBusy, 503, "too many large requests are under way; try again in a second"),
    (CutShort, 400, "the request ended before its body did"),
    (TwoHosts, 400, "the request's target and its Host header name different hosts"),
    (LimitRequestLine, 414, "the request line is too long; send what you ask in the body"),
    (LimitRequestHeaders, 431, "the request has too many headers, or too large ones"),
    (ExpectationFailed, 417, "only 'Expect: 100-continue' can be met"),
    (UnsupportedTransferCoding, 501, "only the transfer coding 'chunked' is known"),
    (ParseException, 400, "the request is not valid HTTP/1.1"),
]


class Client:
    """A client's socket with a deadline for each part of a request; the rest is the socket's."""

    def __init__(self, sock: Any, idle: set["Client"], keepalive: float) -> None:
        self._sock = sock
        self._idle = idle
        self._keepalive = keepalive
        self._patience = HEAD_SECONDS
        self._deadline: float | None = None  # None between two requests
        self._received = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def recv(self, size: int) -> bytes:
        """As socket.recv. Raises TooSlow and LimitRequestHeaders."""
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
        """The first bytes of a request; none when the client says nothing for too long."""
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
        """As socket.sendall, but a client that does not take its answer is gone."""
        self._sock.settimeout(SEND_SECONDS)
        try:
            self._sock.sendall(data)
        except TimeoutError as error:
            # with its number, by which gunicorn knows that this is no mistake of ours
            raise BrokenPipeError(errno.EPIPE, "the answer was not taken in time") from error

    def begin_body(self, length: int) -> None:
        self._deadline = time.monotonic() + BODY_SECONDS * max(1, length / BODY_BYTES)
        self._received = -length  # the limit of the headers does not count any more

    def end_request(self) -> None:
        self._deadline = None
        self._patience = self._keepalive

    def release(self) -> None:
        """End the wait for a request; what has arrived already is still read and answered."""
        with contextlib.suppress(OSError):  # the client may have gone
            self._sock.shutdown(socket.SHUT_RD)

    def linger(self) -> None:
        """Let go of a client that may still be sending.

        Closing a socket with unread bytes resets the connection, and the client would never see
        its answer; so what still comes is thrown away for a moment.
        """
        with contextlib.suppress(OSError), gevent.Timeout(LINGER_SECONDS, False):
            self._sock.settimeout(LINGER_SECONDS)
            self._sock.shutdown(socket.SHUT_WR)
            while self._sock.recv(1 << 20):
                gevent.sleep(0)


class Listener(StreamServer):
    """A listening socket that leaves nobody in its queue when it closes."""

    def close(self) -> None:
        """Take in who is connected already: closing would reset them, request and all."""
        if not self.closed and self._ends_with_the_service():
            _shut_the_door(self.socket)
        while not self.closed and (waiting := self.do_read()):
            self.do_handle(*waiting)
        super().close()

    def _ends_with_the_service(self) -> bool:
        """Whether gunicorn's master has closed the socket: then not only this worker ends."""
        own = os.fstat(self.socket.fileno())
        try:
            held = [fd.stat() for fd in Path(f"/proc/{os.getppid()}/fd").iterdir()]
        except OSError:  # no /proc, or a file that was closed meanwhile: better not
            return False
        return not any(os.path.samestat(own, other) for other in held)


def _shut_the_door(listening: Any) -> None:
    """From now on nobody is connected any more, and who was can still be taken in.

    Between the last who is taken in and the closing somebody may come, whom the closing would
    reset. A filter that lets nothing through makes newcomers knock until the socket is closed,
    which refuses them. https://www.kernel.org/doc/html/latest/networking/filter.html
    """
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0 bytes
    program = struct.pack("HP", 1, ctypes.addressof(drop))
    with contextlib.suppress(OSError):  # not on this system: a moment in which one may be reset
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


@dataclass(frozen=True)
class Named:
    """A listening socket's name: gunicorn asks for it even when the socket is closed already."""

    name: Any

    def getsockname(self) -> Any:
        return self.name


class Worker(GeventWorker):
    """Greenlets, deadlines, problem documents."""

    def server_class(self, sock: Any, spawn: Any, **_: Any) -> Listener:
        """What ``run`` listens with."""
        handle = partial(self.handle, Named(sock.getsockname()))
        listener = Listener(sock, handle=handle, spawn=spawn)
        listener.max_accept = 1 if self.cfg.workers > 1 else 100  # the others are to have theirs
        return listener

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle: set[Client] = set()
        self._held = 0

    def timeout_ctx(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()  # Client.recv keeps the time

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        gevent.spawn_later(LAST_CALL_SECONDS, self._release_idle)

    def _release_idle(self) -> None:
        for client in list(self._idle):
            client.release()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        super().handle(listener, Client(client, self._idle, self.cfg.keepalive), addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Client, addr: Any) -> None:
        _check_head(req)
        whole = self._take_body(req, sock)
        try:
            super().handle_request(listener_name, req, sock, addr)
        except StopIteration:
            if not whole:
                sock.linger()
            raise
        sock.end_request()

    def _take_body(self, req: Any, sock: Client) -> bool:
        """Take in the whole body; False when it is too large and was left unread."""
        limit = CSV_BYTES if _is_csv(req) else BODY_BYTES
        reader = req.body.reader
        chunked = not isinstance(reader, LengthReader)
        length = limit + 1 if chunked else reader.length
        if length == 0:
            req._expected_100_continue = False  # noqa: SLF001 - nothing is to come
            return True
        if length > limit and not chunked:
            req._expected_100_continue = False  # noqa: SLF001 - the answer is 413 at once
            req.force_close()
            return False
        in_memory = min(length, BODY_BYTES + 1)
        if self._held + in_memory > HELD_BYTES:
            raise TooBusy
        sock.begin_body(length)
        if req._expected_100_continue:  # noqa: SLF001 - gunicorn would send it too late
            req._expected_100_continue = False  # noqa: SLF001
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._held += in_memory
        try:
            body, received = _received(req.body, length)
        except NoMoreData as error:
            raise CutShort from error
        finally:
            self._held -= in_memory
        if chunked:
            _set_length(req, received)
        elif received < length:
            raise CutShort
        req.body = body
        if received > limit:
            req.force_close()
            return False
        return True

    def handle_error(self, req: Any, client: Client, addr: Any, exc: BaseException) -> None:
        """Answer what cannot be served with a problem document, then let the client go."""
        code, detail = 500, "an unexpected error; it has been logged"
        for kind, status, sentence in _REFUSALS:
            if isinstance(exc, kind):
                code, detail = status, sentence
                self.log.info("refused a request from %s: %d %r", addr, code, exc)
                break
        else:
            self.log.error("error while handling a request", exc_info=exc)
        with contextlib.suppress(OSError):  # the client may have gone
            client.sendall(_refusal(code, detail))
        client.linger()


def _check_head(req: Any) -> None:
    """Refuse what gunicorn lets pass and a proxy in front may read in another way."""
    hosts = [value for name, value in req.headers if name == "HOST"]
    if req.version >= (1, 1) and not hosts:
        raise InvalidHeader("HOST")
    scheme, absolute, rest = req.uri.partition("://")
    named = re.split("[/?#]", rest, maxsplit=1)[0]
    if absolute and "/" not in scheme and hosts and named.lower() != hosts[0].lower():
        raise TwoHosts
    for name, value in req.headers:
        if name == "TRANSFER-ENCODING" and value.strip().lower() != "chunked":
            raise UnsupportedTransferCoding(value)


def _is_csv(req: Any) -> bool:
    types = [value for name, value in req.headers if name == "CONTENT-TYPE"]
    return len(types) == 1 and types[0].partition(";")[0].strip().lower() == "text/csv"


def _received(body: Any, length: int) -> tuple[IO[bytes], int]:
    """The body, at most ``length`` bytes of it, as a file at its start; and how many they are."""
    if length <= BODY_BYTES + 1:
        data = body.read(length)
        return io.BytesIO(data), len(data)
    file = tempfile.SpooledTemporaryFile(max_size=BODY_BYTES)  # noqa: SIM115 - the request's own
    received = 0
    while received < length and (data := body.read(min(_PIECE, length - received))):
        file.write(data)
        received += len(data)
    file.seek(0)
    return file, received


def _set_length(req: Any, length: int) -> None:
    """What came in chunks is whole now: to the application it has a length like any other."""
    req.headers = [(name, value) for name, value in req.headers if name != "TRANSFER-ENCODING"]
    req.headers.append(("CONTENT-LENGTH", str(length)))


def _refusal(code: int, detail: str) -> bytes:
    body = problem_bytes(code, detail, title=MALFORMED if code == 400 else "")
    head = [
        f"HTTP/1.1 {code} {HTTPStatus(code).phrase}",
        "Connection: close",
        f"Content-Type: {CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        "X-Content-Type-Options: nosniff",
    ]
    if code == 503:
        head.append("Retry-After: 1")
    return "\r\n".join([*head, "", ""]).encode() + body
