"""The owner's side: a folder of sockets, and a supervisor that lives as long as its owner does.

The owner is gunicorn's master, or whatever process uses a model first. What it forks uses the same
supervisor, and starts another when that has died.
"""

import atexit
import hashlib
import json
import os
import shutil
import socket
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from predictor.artifacts.confinement import bare_environment
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import VersionFiles
from predictor.artifacts.policy import Policy

from .protocol import MOST_WORDS, Channel, Kind
from .supervisor import CONTROL

SLOWEST = 10.0  # seconds that one call of an estimator may take
_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = [sys.executable, "-P", "-m", "predictor.scoring.supervisor"]
_PATIENCE = 15.0  # seconds for a supervisor to start and to take an order
_STEP = 0.02  # seconds between two attempts to reach it
_LONGEST_FOLDER = 80  # characters: the address of a socket has 107


class Room:
    """Where what a version holds may run; nothing of it runs in the process that asks."""

    def __init__(self, *, required: bool = False) -> None:
        """``required``: run nothing where the system cannot confine it."""
        self.required = required
        self.slowest = SLOWEST
        parent = tempfile.gettempdir()
        parent = parent if len(parent) <= _LONGEST_FOLDER else "/tmp"  # noqa: S108 - mkdtemp's own
        self.folder = Path(tempfile.mkdtemp(prefix="batcomputer-room-", dir=parent))
        self._life_line, self._held = os.pipe()
        self._owner = os.getpid()
        self._supervisor = 0
        os.register_at_fork(after_in_child=self._let_go)
        atexit.register(self._tidy)

    def start(self) -> None:
        """Start a supervisor; where one lives, the new one ends at once."""
        if self._supervisor:
            with suppress(ChildProcessError):
                os.waitpid(self._supervisor, os.WNOHANG)
        actions = [(os.POSIX_SPAWN_DUP2, self._life_line, 0)]
        # its own session: a Ctrl-C is meant for the server, which needs it until its last answer
        self._supervisor = os.posix_spawn(
            sys.executable, [*_COMMAND, str(self.folder)], bare_environment(_ROOT),
            file_actions=actions, setsid=True,
        )  # fmt: skip

    def connect(self, name: str) -> Channel:
        """A channel to what listens there. Raises OSError when nothing does."""
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(str(self.folder / name))
        except OSError:
            sock.close()
            raise
        return Channel(sock)

    def order(self, task: str, files: VersionFiles, policy: Policy, **more: Any) -> Channel:
        """Send an order to the supervisor, which is started if need be.

        Raises ArtifactError when none takes it.
        """
        terms = {
            "task": task,
            "folder": str(files.folder.absolute()),
            "files": list(files.content),
            "fingerprint": files.fingerprint,
            "policy": policy.as_json(),
            "required": self.required,
            "slowest": self.slowest,
            "patience": 2 * policy.limits.seconds,
            **more,
        }
        channel = self._reach()
        try:
            channel.send(Kind.ORDER, json.dumps(terms).encode())
        except OSError as error:
            channel.close()
            raise ArtifactError("the scoring room's supervisor does not listen") from error
        return channel

    def serve(self, files: VersionFiles, policy: Policy, *, shortcut: bool) -> str:
        """Have a scorer answer for a version; the name to connect to. Raises ArtifactError."""
        rules = json.dumps([policy.as_json(), self.required, self.slowest, shortcut])
        key = hashlib.sha256(f"{files.folder} {files.fingerprint} {rules}".encode()).hexdigest()
        name = key[:32]
        channel = self.order("serve", files, policy, key=name, shortcut=shortcut)
        try:
            answer = channel.receive(MOST_WORDS, _PATIENCE)
        except (EOFError, OSError) as error:
            raise ArtifactError("the scoring room's supervisor does not answer") from error
        finally:
            channel.close()
        if answer.kind is Kind.REFUSED:
            raise ArtifactError(f"it cannot be scored: {answer.content.decode()}")
        return name

    def _reach(self) -> Channel:
        deadline = time.monotonic() + _PATIENCE
        started = False
        while True:
            try:
                return self.connect(CONTROL)
            except OSError as error:
                if time.monotonic() > deadline:
                    raise ArtifactError("the scoring room's supervisor does not start") from error
            if not started:
                self.start()
                started = True
            time.sleep(_STEP)

    def _let_go(self) -> None:
        """In a fork: the life-line is the owner's alone."""
        with suppress(OSError):
            os.close(self._held)

    def _tidy(self) -> None:
        if os.getpid() == self._owner:
            shutil.rmtree(self.folder, ignore_errors=True)


@cache
def room() -> Room:
    """This process's room, or that of the process it was forked from."""
    return Room()
