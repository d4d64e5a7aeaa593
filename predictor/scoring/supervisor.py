"""The process that starts, watches and ends all others. Standard library only, so that it is small.

``python -m predictor.scoring.supervisor FOLDER json|plain``, standard input being the owner's
life-line: when that ends, so does everything here. A version's socket is kept open here while no
scorer answers on it, so that callers wait rather than fail; the first of them has a scorer started.
"""

import ctypes
import fcntl
import json
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
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from predictor.monitoring.log_lines import lines

from .clock import Clock
from .protocol import MOST_ORDER, Channel, MessageKind, send_order

logger = logging.getLogger("scoring")

CONTROL, LOCK = "control", "lock"  # in the folder
_LOOK = 0.25  # seconds between two looks at the clocks
_BACKLOG = 1024  # callers that wait for a scorer
_PATIENCE = 5.0  # seconds for an order to be sent whole, or taken
_FORGIVEN = 1.0  # second of work that makes up for one failure
_IMPORTING = 10.0  # seconds that a template may take on a busy machine before it works
_LONGEST = 30.0  # seconds between two attempts
_STARTING = 60.0  # seconds that a busy machine may take to fork, besides what loading may take
_IDLE = 60.0  # seconds until a template that serves no version is let go: 80 MB
_PR_SET_CHILD_SUBREAPER = 36
_TEMPLATE = [sys.executable, "-P", "-m", "predictor.scoring.template"]


@dataclass
class Attempts:
    """When something that failed may be tried again: at once, then after 0.2 s, 0.4 s and so on.

    What works between two failures is soon tried at once again: one caller's rows that end a scorer
    now and then must not keep it away from all others.
    """

    failures: int = 0
    not_before: float = 0.0  # time.monotonic()

    def fail(self, worked: float) -> None:
        """It has ended by itself, after so many seconds of work."""
        self.failures = max(0, self.failures - int(worked / _FORGIVEN)) + 1
        wait = 0.0 if self.failures == 1 else min(_LONGEST, 0.1 * 2 ** (self.failures - 1))
        self.not_before = time.monotonic() + wait


@dataclass
class Order:
    """What a worker wants done, with the files it is about, open."""

    terms: dict[str, Any]
    files: list[int]

    @property
    def name(self) -> str:
        folder = Path(self.terms["folder"])
        return f"{folder.parent.name} {folder.name}"


@dataclass
class ServedVersion:
    """A version that is to be answered for, whether a scorer runs for it or not."""

    order: Order
    path: Path
    door: socket.socket
    attempts: Attempts = field(default_factory=Attempts)


@dataclass(eq=False)
class Child:
    """A fork of the template, as seen from here."""

    order: Order
    pulse: socket.socket  # ends when the child ends
    clock: Clock
    ended: Callable[[int | None, float], None]  # how, and after how many seconds of work
    slowest: float  # seconds between two signs of life
    started: float = field(default_factory=time.monotonic)
    alive: float = 0.0  # time.monotonic() of the first look after a sign of life
    pid: int = 0

    def worked(self) -> float:
        """Seconds from when it was first seen alive, its version loaded, until now."""
        return time.monotonic() - self.alive if self.alive else 0.0

    def is_overdue(self) -> bool:
        now, last = time.monotonic(), self.clock.last()
        if last and not self.alive:
            self.alive = now
        if last == 0:
            return now - self.started > float(self.order.terms["patience"]) + _STARTING
        return not 0 <= now - last <= self.slowest  # it may have set the clock itself


class Supervisor:
    """One template, a scorer for each version that is asked for, a process for each examination."""

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
        """Until the life-line ends."""
        control = _listen(self._folder / CONTROL)
        self._watch(life_line, self._end)
        self._watch(control, lambda: self._admit(control))
        self._watch(self._said[0], self._listen_to_template)
        while not self._ends:
            for key, _ in self._selector.select(_LOOK):
                if key.fd in self._selector.get_map():  # none before it has let go of it
                    key.data()
            self._end_overdue()
            self._go_on()
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
            order = _opened(message.content)
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
            _close(order)
            return
        path = self._folder / key
        service = ServedVersion(order, path, _listen(path))
        self._services[key] = service
        self._watch(service.door, lambda: self._start_scorer(service))

    def _do(self, order: Order, channel: Channel) -> None:
        """A task of its own process; the caller gets what it says, then how it ended."""

        def ended(status: int | None, _worked: float) -> None:
            with suppress(OSError):
                channel.send(MessageKind.ENDED, b"" if status is None else str(status).encode())
            channel.close()
            _close(order)

        self._fork(order, channel.socket, ended, order.terms["patience"])

    # --- processes ----------------------------------------------------------------------------

    def _start_scorer(self, service: ServedVersion) -> None:
        """A caller waits, and no process answers."""
        self._selector.unregister(service.door)
        if time.monotonic() < max(service.attempts.not_before, self._attempts.not_before):
            return  # _go_on will see to it

        def ended(status: int | None, worked: float) -> None:
            if status == 0:  # no worker has asked for a while
                self._forget(service)
            else:
                logger.warning("the scorer of %s ended (%s)", service.order.name, _how(status))
                service.attempts.fail(worked)

        self._fork(service.order, service.door, ended, service.order.terms["slowest"])

    def _forget(self, service: ServedVersion) -> None:
        """Who still comes finds no socket, and orders the version again."""
        service.path.unlink(missing_ok=True)
        del self._services[service.order.terms["key"]]
        service.door.close()
        _close(service.order)

    def _fork(
        self,
        order: Order,
        door: socket.socket,
        ended: Callable[[int | None, float], None],
        slowest: float,
    ) -> None:
        pulse, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile(dir=self._folder) as file:
            file.truncate(mmap.PAGESIZE)
            child = Child(order, pulse, Clock(file.fileno()), ended, slowest)
            self._children.add(child)
            self._watch(pulse, lambda: self._feel(child))
            if self._orders is None and time.monotonic() >= self._attempts.not_before:
                self._start_template()
            if self._orders is None:
                return  # its pulse ends at once
            self._forked = time.monotonic()
            try:
                send_order(
                    self._orders,
                    order.terms,
                    [door.fileno(), theirs.fileno(), file.fileno(), *order.files],
                )
            except OSError:
                self._lose_template()

    def _feel(self, child: Child) -> None:
        """The first beat is the child's number; the end of it is the child's."""
        beat = b""
        with suppress(OSError):
            beat = child.pulse.recv(64)
        if beat and not child.pid:
            child.pid = int(beat)
        else:  # a second one could only name another process, to have that killed
            self._bury(child)

    def _bury(self, child: Child) -> None:
        child.ended(self._take_away(child), child.worked())

    def _take_away(self, child: Child) -> int | None:
        """End a child for good; how it ended, None where the system does not say."""
        self._selector.unregister(child.pulse)
        child.pulse.close()
        self._children.discard(child)
        status = None
        if child.pid:
            with suppress(OSError):
                os.kill(child.pid, signal.SIGKILL)  # it may only have closed its side
                _, status = os.waitpid(child.pid, 0)
        return status if status is None else os.waitstatus_to_exitcode(status)

    def _end_overdue(self) -> None:
        if self._template and not all(child.pid for child in self._children):
            self._template.send_signal(signal.SIGCONT)  # it may have been stopped
        for child in [child for child in self._children if child.is_overdue()]:
            logger.warning("the process for %s gives no sign of life: ended", child.order.name)
            if child.pid:
                self._bury(child)
            else:  # the template hangs: what waits for it ends with it
                self._lose_template()

    def _go_on(self) -> None:
        """What had to wait after a failure."""
        now = time.monotonic()
        if not self._services and not self._children and now - self._forked > _IDLE:
            self._stop_template()  # all models are answered from their tables
        if self._template is None and self._services and now >= self._attempts.not_before:
            self._start_template()  # before a scorer ends that would have to wait for it
        self._watch_those_without_scorer(now)

    def _watch_those_without_scorer(self, now: float) -> None:
        """Wait for callers of versions that no scorer runs for, unless one failed just now."""
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
        self._watch(self._orders, self._lose_template)  # it never writes, so this is its end

    def _listen_to_template(self) -> None:
        """What libraries and the system write there, and its forks before they are shut in."""
        with suppress(BlockingIOError):
            for line in os.read(self._said[0], 2**16).decode(errors="replace").splitlines():
                if line.strip():
                    logger.warning("the template: %s", line)

    def _lose_template(self) -> None:
        """Its forks go on: they are this process's own children."""
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
            self._take_away(child)
        shutil.rmtree(self._folder, ignore_errors=True)


def _opened(content: bytes) -> Order:
    """Raises OSError for a file that cannot be opened, ValueError and KeyError for no order."""
    terms = json.loads(content)
    files: list[int] = []
    order = Order(terms, files)
    try:
        for name in terms["files"]:
            path = os.path.join(terms["folder"], name)  # noqa: PTH118
            files.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))
    except OSError:
        _close(order)
        raise
    return order


def _close(order: Order) -> None:
    while order.files:
        os.close(order.files.pop())


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
    """Supervise until the owner has gone; at once when another supervisor of it lives."""
    folder = Path(sys.argv[1])
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # sockets of the server are not for us
    logging.config.dictConfig(lines(machines=sys.argv[2:] == ["json"], stream="stdout"))
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    Supervisor(folder).run(0)


if __name__ == "__main__":
    main()
