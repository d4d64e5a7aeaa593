"""A fork of the template: confines itself, unpickles one version, and answers.

It gets everything as open files: the version's files, the socket to answer on, a socket that ends
with the supervisor, and a clock to record signs of life.
"""

import ctypes
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from predictor.artifacts.confinement import Confinement, ConfinementError, confine
from predictor.artifacts.errors import Abstention, ArtifactError, ScoringError
from predictor.artifacts.files import METADATA, MODEL, VersionFiles
from predictor.artifacts.libraries import import_for
from predictor.artifacts.policy import Policy
from predictor.artifacts.quarantine import TASKS
from predictor.artifacts.report_store import Report
from predictor.artifacts.untrusted import read_json, sentence

from .clock import Clock
from .protocol import (
    Channel,
    Manner,
    Message,
    MessageKind,
    pack_abstention,
    pack_scores,
    unpack_rows,
)

_ROWS_AT_ONCE = 64  # rows of several requests scored in one call
IDLE = 60.0  # seconds without a request until a scorer ends
_LOOK = 1.0  # seconds between two signs of life
_SLOW = 1.0  # seconds that a worker may take to send or receive a message
_MOST = 2**28  # bytes of one message; workers are trusted
_MOST_REASON = 1_000  # characters
_PR_SET_PDEATHSIG = 1


def run(order: dict[str, Any], files: list[int]) -> None:
    """Do the order's task, and return when there is nothing more to do."""
    door, pulse, clock, *held = files
    end_with_the_supervisor()
    # a descriptor, not a socket object: it must stay open until this process has ended
    os.write(pulse, str(os.getpid()).encode())  # BrokenPipeError: the supervisor has ended
    _be_killed_first()
    alive = Clock(clock)
    content = dict(zip(order["files"], map(_read, held), strict=True))
    policy = Policy.from_json(order["policy"])
    import_for(content[MODEL], policy.modules)
    for number in (1, 2):  # what an estimator prints belongs in no log
        os.dup2(0, number)
    _close_all_but(door, pulse)
    task, callers = VersionTask(order, content, policy), socket.socket(fileno=door)
    if once := TASKS.get(order["task"]):
        callers.setblocking(True)  # the supervisor's timeouts are set on the same open file
        _do_once(task, once, Channel(callers))
    else:
        Answers(callers, pulse, alive).run(task)


@dataclass(frozen=True)
class VersionTask:
    """A task with one version."""

    order: dict[str, Any]
    content: dict[str, bytes]
    policy: Policy

    def confine(self, seconds: int = 0) -> list[str]:
        """Confine this process. Raises ConfinementError."""
        return confine(Confinement(self.policy.limits.memory, seconds, self.policy.confined))

    def report(self) -> Report:
        """The examination's findings that scoring needs."""
        return Report(**self.order["report"])

    def version(self) -> VersionFiles:
        """Raises ArtifactError when the files are not those of the order."""
        metadata = read_json(METADATA, self.content.get(METADATA, b"{}"))
        version = VersionFiles(Path(self.order["folder"]), self.content, metadata)
        if version.fingerprint != self.order["fingerprint"]:
            raise ArtifactError("its files changed while it was loaded")
        return version


def _do_once(
    task: VersionTask, work: Callable[[VersionFiles, Policy, Report], bytes], caller: Channel
) -> None:
    try:
        task.confine(task.policy.limits.seconds)
        caller.send(MessageKind.RESULT, work(task.version(), task.policy, task.report()))
    except Exception as error:
        caller.send(MessageKind.PROBLEM, f"{type(error).__name__}: {error}".encode())
        raise


def _load(task: VersionTask) -> tuple[Any, dict[str, Any]]:
    """The scorer, and its description. Raises ArtifactError and ConfinementError."""
    # the template has already imported them
    from predictor.artifacts.estimators import load_scorer  # noqa: PLC0415
    from predictor.artifacts.unpickling import read_contract  # noqa: PLC0415

    means = task.confine()
    version = task.version()
    report = task.report()
    contract = read_contract(version, task.policy).refined(report.kinds, report.flags)
    scorer = load_scorer(version, contract, task.policy, report.shortcut, report.rows)
    return scorer, {
        "kind": scorer.kind,
        "shortcut": scorer.has_shortcut,
        "floats": scorer.takes_floats,
        "width": len(contract.features),
        "means": means,
    }


class Answers:
    """The loop of a scorer: accept connections, read rows, send scores."""

    def __init__(self, door: socket.socket, pulse: int, alive: Clock) -> None:
        self._door = door
        self._pulse = pulse
        self._alive = alive
        self._selector = selectors.DefaultSelector()
        self._scorer: Any = None
        self._width = 0
        self._together = False
        self._description = b""
        self._refusal = ""

    def run(self, task: VersionTask) -> None:
        """Answer until there has been no request for a while, or the supervisor has ended."""
        self._selector.register(self._door, selectors.EVENT_READ)
        self._selector.register(self._pulse, selectors.EVENT_READ)
        self._prepare(task)
        task.content.clear()  # the pickle is as large as the loaded estimator
        give_back_memory()
        idle_since = time.monotonic()
        while True:
            self._alive.wind()
            events = self._selector.select(_LOOK)
            ready = [key.fileobj for key, _ in events]
            if self._pulse in ready:
                return
            if self._door in ready:
                self._admit()
            self._answer(list(self._messages(key.data for key, _ in events if key.data)))
            now = time.monotonic()
            idle_since = now if len(self._selector.get_map()) > 2 else idle_since
            if now - idle_since > (IDLE if self._description else 0):
                return

    def _prepare(self, task: VersionTask) -> None:
        """Get ready to answer, or to answer with a refusal."""
        try:
            self._scorer, described = _load(task)
            self._width = described["width"]
            self._together = self._scorer.scores_rows_apart()
            self._description = json.dumps(described).encode()
        except (ArtifactError, ConfinementError) as error:
            self._refusal = str(error)
        except Exception as error:  # noqa: BLE001 - a foreign estimator may raise anything at all
            self._refusal = f"loading the model failed: {type(error).__name__}: {error}"

    def _admit(self) -> None:
        with suppress(OSError):
            caller, _ = self._door.accept()
            self._selector.register(caller, selectors.EVENT_READ, Channel(caller))

    def _messages(self, channels: Iterator[Channel]) -> Iterator[tuple[Channel, Message]]:
        for channel in channels:
            with self._while_it_is_there(channel):
                yield channel, channel.receive(_MOST, _SLOW)

    def _answer(self, messages: list[tuple[Channel, Message]]) -> None:
        """Score single rows first: they delay other requests least."""
        messages.sort(key=lambda one: len(one[1].content))
        grouped = [one for one in messages if one[1].manner is Manner.GROUP and not self._refusal]
        if grouped:
            self._answer_groups(grouped)
        for channel, message in messages:
            if (channel, message) not in grouped:
                with self._while_it_is_there(channel):
                    self._answer_one(channel, message)

    def _answer_one(self, channel: Channel, message: Message) -> None:
        if self._refusal:
            channel.send(MessageKind.REFUSED, sentence(self._refusal, _MOST_REASON).encode())
            return
        if message.kind is MessageKind.HELLO:
            channel.send(MessageKind.DESCRIPTION, self._description)
            return
        if message.manner is Manner.ALONE:
            channel.send(MessageKind.BEGUN)
        self._alive.wind()
        try:
            scores = self._scorer.score(unpack_rows(message.kind, message.content, self._width))
        except Abstention as abstention:
            channel.send(MessageKind.ABSTAINED, pack_abstention(abstention))
        except ScoringError as error:
            channel.send(MessageKind.PROBLEM, sentence(str(error), _MOST_REASON).encode())
        else:
            channel.send(MessageKind.SCORES, pack_scores(scores))

    def _answer_groups(self, messages: list[tuple[Channel, Message]]) -> None:
        """Score rows of several requests, from all workers."""
        parts = [unpack_rows(m.kind, m.content, self._width) for _, m in messages]
        scores = self._scores_of_each([row for part in parts for row in part])
        for (channel, _), part in zip(messages, parts, strict=True):
            own, scores = scores[: len(part)], scores[len(part) :]
            with self._while_it_is_there(channel):
                channel.send(MessageKind.SCORES, pack_scores(own))

    def _scores_of_each(self, rows: Sequence[Any]) -> list[Sequence[float]]:
        """Scores in one call if each row gets the same bits as alone, else row by row."""
        if self._together and len(rows) > 1:
            with suppress(ScoringError):
                return [
                    scores
                    for at in range(0, len(rows), _ROWS_AT_ONCE)
                    for scores in self._scorer.score(rows[at : at + _ROWS_AT_ONCE])
                ]
        return [self._score_or_nothing(row) for row in rows]

    def _score_or_nothing(self, row: Any) -> Sequence[float]:
        self._alive.wind()
        try:
            scores: Sequence[float] = self._scorer.score([row])[0]
        except ScoringError:
            return [float("nan")] * self._scorer.width
        return scores

    @contextmanager
    def _while_it_is_there(self, channel: Channel) -> Iterator[None]:
        """Close the connection of a worker that has gone or does not read its answer."""
        try:
            yield
        except (EOFError, OSError, ValueError):
            with suppress(KeyError):
                self._selector.unregister(channel.socket)
            channel.close()


def _read(file: int) -> bytes:
    """The whole content of an open file, whatever position another process left it at."""
    data = b""
    while piece := os.pread(file, 2**30, len(data)):
        data = data + piece if data else piece
    return data


def give_back_memory() -> None:
    """Return memory that loading needed to the system, where the C library can."""
    gc.collect()
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def end_with_the_supervisor() -> None:
    """Have the kernel end this process with its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _be_killed_first() -> None:
    """Have the kernel kill this process, not a worker, when memory runs out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _close_all_but(*kept: int) -> None:
    first = 3
    for file in sorted(kept):
        if first < file:  # an empty range, closerange(0, 0), would close all
            os.closerange(first, file)
        first = file + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))
