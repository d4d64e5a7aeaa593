"""The worker itself: greenlets, deadlines, problem documents."""

import contextlib
import errno
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import gevent
from gunicorn.http.errors import NoMoreData
from gunicorn.util import close
from gunicorn.workers.ggevent import GeventWorker

from .addresses import Addresses, TooManyConnections
from .bodies import Bodies
from .deadlines import HEAD_BYTES, Client
from .exchange import Environs, WorkerResponse
from .listener import Listener, Named
from .refusals import TOO_MANY_CONNECTIONS, UNEXPECTED, refusal_of
from .requests import Requests
from .succession import Succession

GLANCE_SECONDS = 0.2  # to read the request of a client that is turned away
LAST_CALL_SECONDS = 1.5  # for a request in transit when the worker must end
WARM_SECONDS = 20.0  # for a new worker to load its models, before it serves anyway
_GONE = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN)  # of a client that has gone
_STEP = 0.02  # seconds between two checks of what a worker waits for
_ENDING = (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT)

# A new worker has the master's signal handlers until it sets its own, and they would lose a signal
# that ends it: it waits meanwhile. The master is blocked only while it forks.
_unblock_ending = partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, _ENDING)
os.register_at_fork(after_in_parent=_unblock_ending)

_succession = Succession()  # created by the master, which imports this module


class Worker(GeventWorker):
    """gunicorn's own gevent worker with deadlines, limits and problem documents."""

    alive: bool  # gunicorn's own

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle: set[Client] = set()
        self._bodies = Bodies()
        self._addresses = Addresses(0, [])
        self._environs = Environs(self.cfg)
        self._listeners: list[Listener] = []
        self.warm_up: Callable[[], None] | None = None  # called to make the first requests fast
        # this runs in the master, just before it forks
        _succession.begin(self.age)
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)

    def init_signals(self) -> None:
        super().init_signals()
        _unblock_ending()

    def run(self) -> None:
        """Warm up during the first requests, or before them if other workers serve meanwhile."""
        warming = gevent.spawn(self.warm_up or gevent.sleep)
        warming.link(lambda _: _succession.report_warm(self.age))
        if _succession.others_serve():
            _wait_for(lambda: warming.ready() or not self.alive)
        super().run()

    def init_process(self) -> None:
        # gevent would print a traceback for each ended greenlet
        gevent.get_hub().print_exception = self._log_exception
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        # the master imports this module, and does not need Django
        from django.conf import settings  # noqa: PLC0415

        self._addresses = Addresses(settings.CONNECTIONS_PER_ADDRESS, settings.TRUSTED_PROXIES)

    def _log_exception(self, context: Any, *exception: Any) -> None:
        if getattr(exception[1], "errno", None) in (errno.EMFILE, errno.ENFILE):
            self.log.error("a connection waits: too many files are open (raise ulimit -n)")
            return
        self.log.error("an error ended %r", context, exc_info=exception)

    def server_class(self, sock: Any, spawn: Any, **_: Any) -> Listener:
        """The server with which ``run`` listens."""
        handle = partial(self.handle, Named(sock.getsockname()))
        listener = Listener(sock, handle=handle, spawn=spawn)
        self._listeners.append(listener)
        return listener

    def handle_exit(self, sig: int, frame: Any) -> None:
        gevent.spawn(self._end, sig, frame)

    def _end(self, sig: int, frame: Any) -> None:
        """Serve until a newer worker is warm, unless the service ends; then end in order."""
        _wait_for(self._may_end)
        super().handle_exit(sig, frame)
        gevent.sleep(LAST_CALL_SECONDS)
        for client in list(self._idle):
            client.release()

    def _may_end(self) -> bool:
        if _succession.is_over(self.age):
            return True
        return any(listener.ends_with_the_service() for listener in self._listeners)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        address = addr[0] if isinstance(addr, tuple) else ""
        try:
            with self._addresses.connection(address):
                client.setblocking(True)
                held = Client(client, self._idle, self.cfg.keepalive)
                self._serve(held, addr, listener.getsockname())
        except TooManyConnections:
            _turn_away(client)

    def _serve(self, client: Client, addr: Any, server: Any) -> None:
        """WorkerResponse the requests of a connection, and close it."""
        req = None
        try:
            for req in Requests(self.cfg, client, addr):
                self.handle_request(server, req, client, addr)
        except (StopIteration, NoMoreData):
            pass  # the last one is answered, or the client has gone
        except OSError as error:
            if error.errno not in _GONE:
                self.log.exception("an error of a connection")
        except BaseException as error:  # noqa: BLE001 - answered and logged
            self.handle_error(req, client, addr, error)
        finally:
            close(client)

    def handle_request(self, listener_name: Any, req: Any, sock: Client, addr: Any) -> None:
        whole = self._bodies.take(req, sock)
        answer = WorkerResponse(req, sock, self.cfg)
        try:
            self._answer(req, answer, self._environs.of(req, sock, addr, listener_name))
        except (gevent.GreenletExit, SystemExit):  # the worker no longer waits
            raise StopIteration from None
        except OSError:
            raise  # the client has gone
        except Exception:
            if not answer.headers_sent:
                raise  # handle_error answers
            self.log.exception("an answer broke off after it had begun")
            raise StopIteration from None
        if answer.should_close():
            if not whole:
                sock.linger()
            raise StopIteration
        sock.end_request()
        # Its next request may have arrived, and would come before those of other connections: a
        # fast client would have the worker to itself.
        gevent.sleep(0)

    def _answer(self, req: Any, answer: WorkerResponse, environ: dict[str, Any]) -> None:
        """Send the application's response."""
        began = datetime.now(UTC)
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("this worker ends: it has answered its %d requests", self.nr)
            self.alive = False
        if not self.alive or not self.cfg.keepalive:
            answer.force_close()
        pieces = self.wsgi(environ, answer.start_response)
        try:
            if isinstance(pieces, environ["wsgi.file_wrapper"]):
                answer.write_file(pieces)
            else:
                for piece in pieces:
                    answer.write(piece)
            answer.close()
        finally:
            self.log.access(answer, req, environ, datetime.now(UTC) - began)
            if hasattr(pieces, "close"):
                pieces.close()

    def handle_error(self, req: Any, client: Client, addr: Any, exc: BaseException) -> None:
        """WorkerResponse an invalid request with a problem document, then close the connection."""
        refusal = refusal_of(exc)
        if refusal is None:
            self.log.error("error while handling a request", exc_info=exc)
        else:
            self.log.info("refused a request from %s: %d %r", addr, refusal.code, exc)
        with contextlib.suppress(OSError):  # the client may have gone
            client.sendall((refusal or UNEXPECTED).response())
        client.linger()


def _wait_for(condition: Callable[[], bool]) -> None:
    """Wait until it holds, for as long as a worker may take to warm up."""
    deadline = time.monotonic() + WARM_SECONDS
    while not condition() and time.monotonic() < deadline:
        gevent.sleep(_STEP)


def _turn_away(client: Any) -> None:
    """Send the error and close at once: a refused client must not hold a connection."""
    with contextlib.suppress(OSError), client:
        client.settimeout(GLANCE_SECONDS)
        with contextlib.suppress(TimeoutError):
            client.recv(HEAD_BYTES)  # closing a socket with unread bytes would reset it
        client.sendall(TOO_MANY_CONNECTIONS.response())
