"""The loop of a scorer: accept connections, read rows, send scores."""

import json
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from predictor.artifacts.confinement import ConfinementError
from predictor.artifacts.errors import Abstention, ArtifactError, ScoringError
from predictor.artifacts.untrusted import sentence

from .clock import Clock
from .process import give_back_memory
from .protocol import (
    Channel,
    Manner,
    Message,
    MessageKind,
    pack_abstention,
    pack_scores,
    unpack_rows,
)
from .version_task import VersionTask, load_for_scoring

_ROWS_AT_ONCE = 64  # rows of several requests scored in one call
_IDLE = 60.0  # seconds without a request until a scorer ends
_LOOK = 1.0  # seconds between two signs of life
_SLOW = 1.0  # seconds that a worker may take to send or receive a message
_MOST = 2**28  # bytes of one message; workers are trusted
_MOST_REASON = 1_000  # characters


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
            if now - idle_since > (_IDLE if self._description else 0):
                return

    def _prepare(self, task: VersionTask) -> None:
        """Get ready to answer, or to answer with a refusal."""
        try:
            self._scorer, described = load_for_scoring(task)
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
            with self._closing_if_broken(channel):
                yield channel, channel.receive(_MOST, _SLOW)

    def _answer(self, messages: list[tuple[Channel, Message]]) -> None:
        """Score single rows first: they delay other requests least."""
        messages.sort(key=lambda one: len(one[1].content))
        grouped = [one for one in messages if one[1].manner is Manner.GROUP and not self._refusal]
        if grouped:
            self._answer_groups(grouped)
        for channel, message in messages:
            if (channel, message) not in grouped:
                with self._closing_if_broken(channel):
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
            with self._closing_if_broken(channel):
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
        return [self._score_or_nan(row) for row in rows]

    def _score_or_nan(self, row: Any) -> Sequence[float]:
        self._alive.wind()
        try:
            scores: Sequence[float] = self._scorer.score([row])[0]
        except ScoringError:
            return [float("nan")] * self._scorer.width
        return scores

    @contextmanager
    def _closing_if_broken(self, channel: Channel) -> Iterator[None]:
        """Close the connection of a worker that has gone or does not read its answer."""
        try:
            yield
        except (EOFError, OSError, ValueError):
            with suppress(KeyError):
                self._selector.unregister(channel.socket)
            channel.close()
