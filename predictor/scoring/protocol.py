"""The messages between processes: a length, a kind, bytes. Never a pickle.

Between a worker and a scorer, rows are sent as float64, or as JSON where they hold more than
numbers; scores are sent as float64. Orders between worker, supervisor and template are JSON, sent
together with open files.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from array import array
from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from predictor.artifacts.errors import Abstention

if TYPE_CHECKING:  # the supervisor does not import it
    from predictor.artifacts.inputs import Row
    from predictor.artifacts.scores import Scores

_HEAD = struct.Struct("<IBB")
_PIECE = 2**16  # bytes read at a time
_MOST_FILES = 16  # sent with one order
MOST_WORDS = 2**16  # bytes of a description or a refusal
MOST_ORDER = 2**23  # bytes


class MessageKind(IntEnum):
    """The kind of a message."""

    HELLO = 1  # a worker asks for the scorer's description
    FLOATS = 2  # rows as float64
    VALUES = 3  # rows as JSON
    DESCRIPTION = 4  # the scorer's answer to HELLO, JSON
    SCORES = 5  # float64, row after row; a row of NaN: send it again alone
    PROBLEM = 6  # a sentence: the estimator gave no usable score
    REFUSED = 7  # a sentence: this version cannot be scored at all
    BEGUN = 8  # the scorer has begun a row that was sent ALONE
    ORDER = 9  # JSON
    RESULT = 10  # the result of an order, bytes
    ABSTAINED = 12  # the estimator has no answer for these values, JSON
    ENDED = 11  # exit status of an order's process, or empty


class Manner(IntEnum):
    """How the scorer must score rows."""

    ARRAY = 0  # of one request, in one call
    GROUP = 1  # of several requests: none may affect another's answer
    ALONE = 2  # one row; report when it begins


class Message(NamedTuple):
    """One message; only rows have a ``manner``."""

    kind: MessageKind
    manner: Manner
    content: bytes


class Channel:
    """A connected socket that carries whole messages."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._held = b""

    def send(self, kind: MessageKind, content: bytes = b"", manner: Manner = Manner.ARRAY) -> None:
        """Raises OSError when the other side has closed or does not read in time."""
        self.socket.sendall(_HEAD.pack(len(content), kind, manner) + content)

    def receive(self, most: int, seconds: float) -> Message:
        """The next message, of at most ``most`` bytes, within ``seconds``.

        Raises EOFError when the other side has closed or sends an invalid message; TimeoutError.
        """
        deadline = time.monotonic() + seconds
        self._fill(_HEAD.size, deadline)
        length, kind, manner = _HEAD.unpack_from(self._held)
        if length > most:
            raise EOFError(f"a message of {length} bytes")
        end = _HEAD.size + length
        self._fill(end, deadline)
        content, self._held = self._held[_HEAD.size : end], self._held[end:]
        try:
            return Message(MessageKind(kind), Manner(manner), content)
        except ValueError as error:
            raise EOFError(str(error)) from error

    def close(self) -> None:
        self.socket.close()

    def _fill(self, size: int, deadline: float) -> None:
        pieces, held = [self._held], len(self._held)
        while held < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.socket.settimeout(left)
            piece = self.socket.recv(_PIECE)
            if not piece:
                raise EOFError
            pieces.append(piece)
            held += len(piece)
        self._held = b"".join(pieces)


def pack_rows(rows: Sequence[Row]) -> tuple[MessageKind, bytes]:
    """Rows of a model that takes numbers: float64, or JSON where a cell is not a number."""
    try:
        cells: Iterable[Any] = chain.from_iterable(rows)  # a TypeError finds the text
        return MessageKind.FLOATS, array("d", cells).tobytes()
    except (TypeError, OverflowError):
        return pack_values(rows)


def pack_values(rows: Sequence[Row]) -> tuple[MessageKind, bytes]:
    """Rows with text, or with whole numbers that must stay whole, as JSON."""
    return MessageKind.VALUES, json.dumps(rows).encode()


def unpack_rows(kind: MessageKind, content: bytes, width: int) -> list[Row]:
    """The rows of a message. Raises ValueError when they do not have ``width`` cells."""
    if kind is MessageKind.VALUES:
        return [tuple(map(_cell, row)) for row in json.loads(content)]
    cells = memoryview(content).cast("d").tolist()
    if len(cells) % width:
        raise ValueError(f"{len(cells)} cells are no rows of {width}")
    return [tuple(cells[at : at + width]) for at in range(0, len(cells), width)]


def _cell(value: Any) -> Any:
    """A cell from JSON: a list of numbers becomes a tuple again."""
    return tuple(value) if isinstance(value, list) else value


def pack_abstention(abstention: Abstention) -> bytes:
    """JSON, cut to the length that a worker reads."""
    fields = [name[:200] for name in abstention.fields[:50]]
    return json.dumps([abstention.sentence[:1_000], fields, abstention.position]).encode()


def unpack_abstention(content: bytes) -> Abstention:
    """Raises TypeError or ValueError when ``content`` is not an abstention."""
    said, fields, position = json.loads(content)
    return Abstention(str(said), [str(name) for name in fields], int(position))


def pack_scores(scores: Iterable[Sequence[float]]) -> bytes:
    """float64, row after row."""
    return array("d", chain.from_iterable(scores)).tobytes()


def unpack_scores(content: bytes, width: int) -> Scores:
    """One list of ``width`` scores per row."""
    scores = memoryview(content).cast("d").tolist()
    return [scores[at : at + width] for at in range(0, len(scores), width)]


def send_order(sock: socket.socket, order: dict[str, Any], files: Sequence[int]) -> None:
    """Send an order with open files (descriptors), which stay open here too."""
    content = json.dumps(order).encode()
    socket.send_fds(sock, [_HEAD.pack(len(content), MessageKind.ORDER, 0) + content], files)


def receive_order(sock: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """An order and its files. Raises EOFError when the other side has closed."""
    head, files, _, _ = socket.recv_fds(sock, _HEAD.size, _MOST_FILES)
    if len(head) < _HEAD.size:
        raise EOFError
    content = b""
    length, _, _ = _HEAD.unpack(head)
    while len(content) < length:
        piece = sock.recv(length - len(content))
        if not piece:
            raise EOFError
        content += piece
    return json.loads(content), files
