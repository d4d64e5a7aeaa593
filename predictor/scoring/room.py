"""The owner's side: a folder of sockets, and a supervisor that lives as long as its owner.

The owner is gunicorn's master, or the first process that uses a model. Its forks use the same
supervisor, and start a new one when it has died.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

# not os.waitpid: gevent replaces that by one that only the main thread can call
from posix import posix_spawn
from typing import Any

from predictor.artifacts.confinement import bare_environment
from predictor.artifacts.contract import Contract
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import VersionFiles
from predictor.artifacts.policy import Policy, TaskResult
from predictor.artifacts.quarantine import patience
from predictor.artifacts.report_store import Report
from predictor.artifacts.scores import Scoring
from predictor.artifacts.untrusted import sentence

from .client import RemoteScorer
from .protocol import MOST_WORDS, Channel, MessageKind
from .replicas import Replicas
from .supervisor import CONTROL

SLOWEST = 10.0  # seconds that one call of an estimator may take
_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = [sys.executable, "-P", "-m", "predictor.scoring.supervisor"]
_PATIENCE = 15.0  # seconds for a supervisor to start and to accept an order
_MOST_RESULT = 2**28  # bytes: a table has at most 64 MB
_AGAIN = 1.0  # seconds until a missing supervisor is started again
_STEP = 0.02  # seconds between two attempts to reach it
_CREDENTIALS = struct.Struct("3i")  # process, user and group, as in unix(7)
_STATUS = re.compile(rb"-?\d{1,3}")  # a process's exit status
_LONGEST_FOLDER = 80  # characters: a socket's address may have 107
JOINED = "BATCOMPUTER_ROOM"  # environment variable: the room of another process to use


@dataclass(frozen=True)
class HeldFiles:
    """A version's files by name, without their bytes, which are as large as the model."""

    folder: str
    files: tuple[str, ...]
    fingerprint: str

    @classmethod
    def of(cls, files: VersionFiles) -> HeldFiles:
        return cls(str(files.folder.absolute()), tuple(files.content), files.fingerprint)


class Room:
    """Where a version's code may run; none of it runs in the process that asks."""

    def __init__(self, joined: Path | None = None) -> None:
        """``joined`` is the folder of another process's room."""
        self.slowest = SLOWEST
        self.lines_are_json = False
        self.folder = joined or _new_folder()
        self._life_line, self._held = os.pipe()
        self._owner = None if joined else os.getpid()
        self._started: set[int] = set()  # this process's children, for waitpid
        os.register_at_fork(after_in_child=self._close_life_line)
        atexit.register(self._tidy)

    def start(self) -> None:
        """Start a supervisor; if another process has one running, the new one ends at once."""
        self._started = {pid for pid in self._started if _runs(pid)}
        if self._started:  # it is starting, or was stopped while starting
            for pid in self._started:
                os.kill(pid, signal.SIGCONT)
            return
        actions = [(os.POSIX_SPAWN_DUP2, self._life_line, 0)]
        # Its own group: Ctrl-C is for the server, which needs the supervisor until its last
        # answer. Not its own session: so the kernel ends a stopped supervisor after its parent.
        self._started.add(posix_spawn(
            sys.executable, self._command(), bare_environment(_ROOT),
            file_actions=actions, setpgroup=0,
        ))  # fmt: skip

    def _command(self) -> list[str]:
        return [*_COMMAND, str(self.folder), "json" if self.lines_are_json else "plain"]

    def connect(self, name: str) -> Channel:
        """A channel to the process that listens there. Raises OSError when none does."""
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(str(self.folder / name))
        except OSError:
            sock.close()
            raise
        _wake(sock)
        return Channel(sock)

    def wake(self) -> None:
        """Continue a stopped supervisor: the owner may have ended meanwhile."""
        with suppress(OSError):
            self.connect(CONTROL).close()

    def _order(
        self, task: str, held: HeldFiles, policy: Policy, report: Report, **more: Any
    ) -> Channel:
        """Send an order to the supervisor, and start one if there is none.

        Raises ArtifactError when no supervisor accepts it.
        """
        terms = {
            "task": task,
            "folder": held.folder,
            "files": held.files,
            "fingerprint": held.fingerprint,
            "policy": policy.as_json(),
            "report": report.for_scoring(),
            "slowest": self.slowest,
            "patience": 2 * policy.limits.seconds,
            **more,
        }
        channel = self._reach()
        try:
            channel.send(MessageKind.ORDER, json.dumps(terms).encode())
        except OSError as error:
            channel.close()
            raise ArtifactError("the scoring room's supervisor does not listen") from error
        return channel

    def run(
        self, task: str, files: VersionFiles, policy: Policy, report: Report | None = None
    ) -> TaskResult:
        """Examine or tabulate a version in a separate process.

        Raises ArtifactError when none can be started, TimeoutError when it does not end.
        """
        started, most = time.monotonic(), patience(policy)
        channel = self._order(task, HeldFiles.of(files), policy, report or Report())
        try:
            outcome = _outcome(channel, most + _PATIENCE)
        except EOFError as error:
            raise ArtifactError("it could not be examined: the supervisor ended") from error
        finally:
            channel.close()
        if outcome.status == -signal.SIGKILL and time.monotonic() - started >= most:
            raise TimeoutError
        return outcome

    def scorer(
        self, files: VersionFiles, contract: Contract, policy: Policy, report: Report
    ) -> Scoring:
        """A scorer in a separate process, or several. Raises ArtifactError when none loads."""
        held = HeldFiles.of(files)
        scorers = [
            RemoteScorer(
                self.connect,
                partial(self._serve, held, policy, report, number),
                contract,
                self.slowest,
                patience(policy),
            )
            for number in range(policy.scorers)
        ]
        return Replicas(scorers) if len(scorers) > 1 else scorers[0]

    def _serve(self, held: HeldFiles, policy: Policy, report: Report, number: int) -> str:
        """Order the scorer of that number; returns the name to connect to. Raises ArtifactError."""
        rules = json.dumps([policy.as_json(), self.slowest, report.for_scoring(), number])
        key = hashlib.sha256(f"{held.folder} {held.fingerprint} {rules}".encode()).hexdigest()
        name = key[:32]
        channel = self._order("serve", held, policy, report, key=name)
        try:
            answer = channel.receive(MOST_WORDS, _PATIENCE)
        except (EOFError, OSError) as error:
            raise ArtifactError("the scoring room's supervisor does not answer") from error
        finally:
            channel.close()
        if answer.kind is MessageKind.REFUSED:
            raise ArtifactError(f"it cannot be scored: {answer.content.decode()}")
        return name

    def _reach(self) -> Channel:
        deadline, again = time.monotonic() + _PATIENCE, 0.0
        while True:
            try:
                return self.connect(CONTROL)
            except OSError as error:
                if time.monotonic() > deadline:
                    raise ArtifactError("the scoring room's supervisor does not start") from error
            if time.monotonic() >= again:  # the last one may have met a dying one's lock, and ended
                self.start()
                again = time.monotonic() + _AGAIN
            time.sleep(_STEP)

    def _close_life_line(self) -> None:
        """In a fork: close the life-line, which only the owner may hold."""
        os.closerange(self._held, self._held + 1)  # gevent's close would wait for its loop

    def _tidy(self) -> None:
        if os.getpid() == self._owner:
            self.wake()
            shutil.rmtree(self.folder, ignore_errors=True)


def _new_folder() -> Path:
    parent = tempfile.gettempdir()
    parent = parent if len(parent) <= _LONGEST_FOLDER else "/tmp"  # noqa: S108 - mkdtemp's own
    return Path(tempfile.mkdtemp(prefix="batcomputer-room-", dir=parent))


def _wake(sock: socket.socket) -> None:
    """Continue the supervisor if it was stopped: it is the process that made the socket listen."""
    if sys.platform == "linux":
        peer = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        with suppress(ProcessLookupError):
            os.kill(_CREDENTIALS.unpack(peer)[0], signal.SIGCONT)


def _runs(child: int) -> bool:
    try:
        return os.waitpid(child, os.WNOHANG) == (0, 0)
    except ChildProcessError:  # started by another process, or already waited for
        return False


def _outcome(channel: Channel, seconds: float) -> TaskResult:
    """The messages of a task's process until it ends. Raises ArtifactError, EOFError, TimeoutError.

    The process ran the version's code, so any message may be forged, even that of its end.
    """
    content, said = b"", ""
    while True:
        message = channel.receive(_MOST_RESULT, seconds)
        if message.kind is MessageKind.RESULT:
            content = message.content
        elif message.kind is MessageKind.PROBLEM:
            said = message.content.decode(errors="replace")
        elif message.kind is MessageKind.ENDED and _STATUS.fullmatch(message.content):
            return TaskResult(content, int(message.content), said)
        else:
            words = sentence(message.content.decode(errors="replace"))
            why = words or "no process could be started"
            raise ArtifactError(f"it could not be examined: {why}")


@cache
def room() -> Room:
    """This process's room: its own, its parent's after a fork, or the one named in JOINED."""
    joined = os.environ.get(JOINED)
    return Room(Path(joined) if joined else None)
