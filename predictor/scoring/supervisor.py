"""The process that starts, watches and ends all others. Standard library only, so that it is small.

``python -m predictor.scoring.supervisor FOLDER json|plain``. Standard input is the owner's
life-line: when it closes, all processes here end. The supervisor keeps a version's socket open
while no scorer answers on it, so that requests wait rather than fail; the first one starts a
scorer.
"""

import ctypes
import fcntl
import logging
import logging.config
import mmap
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

from predictor.monitoring.log_lines import lines

from .children import Attempts, Child, ServedVersion
from .clock import Clock
from .orders import Order
from .protocol import MOST_ORDER, Channel, MessageKind, send_order

logger = logging.getLogger("scoring")

CONTROL, LOCK = "control", "lock"  # in the folder
_LOOK = 0.25  # seconds between two looks at the clocks
_BACKLOG = 1024  # connections that wait for a scorer
_PATIENCE = 5.0  # seconds to send or receive a whole order
_IMPORTING = 10.0  # seconds that a template may take to start on a busy machine
_IDLE = 60.0  # seconds until a template without a version is ended: it takes 80 MB
_PR_SET_CHILD_SUBREAPER = 36
_TEMPLATE = [sys.executable, "-P", "-m", "predictor.scoring.template"]


class Supervisor:
    """One template, a scorer for each version in use, a process for each examination."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._selector = selectors.DefaultSelector()
        self._services: dict[str, ServedVersion] = {}
        self._children: set[Child] = set()
        self._template: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._attempts = Attempts()  # of the template
        self._began = self._forked = 0.0  # time.monotonic() of its start and its last fork
        self._ends = False
        self._said = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)  # from the template to the log

    def run(self, life_line: int) -> None:
        """Run until the life-line closes."""
        control = _listen(self._folder / CONTROL)
        self._watch(life_line, self._end)
        self._watch(control, lambda: self._admit(control))
        self._watch(self._said[0], self._listen_to_template)
        while not self._ends:
            for key, _ in self._selector.select(_LOOK):
                if key.fd in self._selector.get_map():  # an earlier event may have unregistered it
                    key.data()
            self._end_overdue()
            self._start_what_waits()
        self._end_all()

    def _end(self) -> None:
        self._ends = True

    def _watch(self, what: Any, then: Callable[[], None]) -> None:
        self._selector.register(what, selectors.EVENT_READ, then)

    def _watches(self, what: Any) -> bool:
        return what.fileno() in self._selector.get_map()

    # --- orders -------------------------------------------------------------------------------

    def _admit(self, control: socket.socket) -> None:
        with suppress(OSError):
            worker, _ = control.accept()
            self._watch(worker, lambda: self._take(worker))

    def _take(self, worker: socket.socket) -> None:
        self._selector.unregister(worker)
        channel = Channel(worker)
        try:
            message = channel.receive(MOST_ORDER, _PATIENCE)
            order = Order.opened(message.content)
            if order.terms["task"] == "serve":
                self._serve(order)
                channel.send(MessageKind.RESULT)
            else:
                self._do(order, channel)
                return
        except (EOFError, OSError, ValueError, KeyError) as error:
            with suppress(OSError):
                channel.send(MessageKind.REFUSED, str(error).encode())
        channel.close()

    def _serve(self, order: Order) -> None:
        key = order.terms["key"]
        if key in self._services:
            order.close()
            return
        path = self._folder / key
        service = ServedVersion(order, path, _listen(path))
        self._services[key] = service
        self._watch(service.door, lambda: self._start_scorer(service))

    def _do(self, order: Order, channel: Channel) -> None:
        """Run a task in a separate process; the worker gets its messages, then its exit status."""

        def ended(status: int | None, _worked: float) -> None:
            with suppress(OSError):
                channel.send(MessageKind.ENDED, b"" if status is None else str(status).encode())
            channel.close()
            order.close()

        self._fork(order, channel.socket, ended, order.terms["patience"])

    # --- processes ----------------------------------------------------------------------------

    def _start_scorer(self, service: ServedVersion) -> None:
        """Start a scorer for a version with a waiting connection."""
        self._selector.unregister(service.door)
        if time.monotonic() < max(service.attempts.not_before, self._attempts.not_before):
            return  # _start_what_waits starts one

        def ended(status: int | None, worked: float) -> None:
            if status == 0:  # it ended because it was idle
                self._forget(service)
            else:
                logger.warning("the scorer of %s ended (%s)", service.order.name, _how(status))
                service.attempts.fail(worked)

        self._fork(service.order, service.door, ended, service.order.terms["slowest"])

    def _forget(self, service: ServedVersion) -> None:
        """Stop serving a version; a worker that still uses it has to order it again."""
        service.path.unlink(missing_ok=True)
        del self._services[service.order.terms["key"]]
        service.door.close()
        service.order.close()

    def _fork(
        self,
        order: Order,
        door: socket.socket,
        ended: Callable[[int | None, float], None],
        slowest: float,
    ) -> None:
        pulse, theirs = socket.socketpair()
        with theirs, _page(self._folder) as file:
            child = Child(order, pulse, Clock(file.fileno()), ended, slowest)
            self._children.add(child)
            self._watch(pulse, lambda: self._read_pulse(child))
            if self._orders is None and time.monotonic() >= self._attempts.not_before:
                self._start_template()
            if self._orders is None:
                return  # its pulse closes at once
            self._forked = time.monotonic()
            try:
                send_order(
                    self._orders,
                    order.terms,
                    [door.fileno(), theirs.fileno(), file.fileno(), *order.files],
                )
            except OSError:
                self._lose_template()

    def _read_pulse(self, child: Child) -> None:
        """Read a child's pulse: its process id first, then the end of the child."""
        beat = b""
        with suppress(OSError):
            beat = child.pulse.recv(64)
        if beat and not child.pid:
            child.pid = int(beat)
        else:  # a second id could only be meant to have another process killed
            self._report_end(child)

    def _report_end(self, child: Child) -> None:
        child.ended(self._kill(child), child.worked())

    def _kill(self, child: Child) -> int | None:
        """End a child; returns its exit status, None if unknown."""
        self._selector.unregister(child.pulse)
        child.pulse.close()
        self._children.discard(child)
        status = None
        if child.pid:
            with suppress(OSError):
                os.kill(child.pid, signal.SIGKILL)  # it may only have closed its pulse
                _, status = os.waitpid(child.pid, 0)
        return status if status is None else os.waitstatus_to_exitcode(status)

    def _end_overdue(self) -> None:
        if self._template and not all(child.pid for child in self._children):
            self._template.send_signal(signal.SIGCONT)  # in case it was stopped
        for child in [child for child in self._children if child.is_overdue()]:
            logger.warning("the process for %s gives no sign of life: ended", child.order.name)
            if child.pid:
                self._report_end(child)
            else:  # the template hangs: end it, and the children that wait for it
                self._lose_template()

    def _start_what_waits(self) -> None:
        """Start what had to wait after a failure; stop an idle template."""
        now = time.monotonic()
        if not self._services and not self._children and now - self._forked > _IDLE:
            self._stop_template()  # all models have tables
        if self._template is None and self._services and now >= self._attempts.not_before:
            self._start_template()  # now, so that the next scorer need not wait for it
        self._watch_those_without_scorer(now)

    def _watch_those_without_scorer(self, now: float) -> None:
        """Listen for connections to versions without a scorer, unless one has just failed."""
        served = {child.order.terms.get("key") for child in self._children}
        for key, service in self._services.items():
            wait = max(service.attempts.not_before, self._attempts.not_before)
            if key not in served and now >= wait and not self._watches(service.door):
                self._watch(service.door, partial(self._start_scorer, service))

    # --- the template -------------------------------------------------------------------------

    def _start_template(self) -> None:
        self._began = time.monotonic()
        self._orders, theirs = socket.socketpair()
        self._orders.settimeout(_PATIENCE)
        with theirs:
            self._template = subprocess.Popen(  # noqa: S603 - our own
                _TEMPLATE, stdin=theirs.fileno(), stdout=self._said[1], stderr=self._said[1]
            )
        self._watch(self._orders, self._lose_template)  # it never writes, so an event is its end

    def _listen_to_template(self) -> None:
        """Log what libraries, the system and forks before confinement write to its output."""
        with suppress(BlockingIOError):
            for line in os.read(self._said[0], 2**16).decode(errors="replace").splitlines():
                if line.strip():
                    logger.warning("the template: %s", line)

    def _lose_template(self) -> None:
        """Note the template's end. Its forks go on: they are this process's children."""
        logger.warning("the template ended (%s)", _how(self._stop_template()))
        self._attempts.fail(max(0.0, time.monotonic() - self._began - _IMPORTING))

    def _stop_template(self) -> int | None:
        if self._template is None or self._orders is None:
            return None
        self._selector.unregister(self._orders)
        self._orders.close()
        self._template.kill()
        status = self._template.wait()
        self._template = self._orders = None
        return status

    def _end_all(self) -> None:
        self._stop_template()
        for child in list(self._children):
            self._kill(child)
        shutil.rmtree(self._folder, ignore_errors=True)


def _page(folder: Path) -> IO[bytes]:
    """A page to share with a child: in memory if possible, so that a full disk ends neither."""
    if sys.platform == "linux":
        file: IO[bytes] = os.fdopen(os.memfd_create("clock"), "w+b")
    else:
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - the caller's
    file.truncate(mmap.PAGESIZE)
    return file


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(_BACKLOG)
    listening.setblocking(False)
    return listening


def _how(status: int | None) -> str:
    if status is None:
        return "unknown how"
    with suppress(ValueError):
        if status < 0:
            return signal.Signals(-status).name
    return f"status {status}"


def main() -> None:
    """Supervise until the owner ends; return at once if it has ended or has another supervisor."""
    folder = Path(sys.argv[1])
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # the server's sockets are not for this process
    logging.config.dictConfig(lines(machines=sys.argv[2:] == ["json"], stream="stdout"))
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    Supervisor(folder).run(0)


if __name__ == "__main__":
    main()
