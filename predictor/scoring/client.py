"""A web worker's side of scoring: send rows to a version's scorer process, read the scores.

Under gevent, other requests go on meanwhile. No numpy here: web workers import this. Rows that wait
at the same moment are sent together.
"""

import math
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, cast, get_args

from predictor.artifacts.contract import Contract
from predictor.artifacts.errors import (
    Abstention,
    ArtifactError,
    ScorerLost,
    ScoringError,
    ScoringTimeout,
)
from predictor.artifacts.inputs import Row
from predictor.artifacts.scores import ScoreKind, Scores, remembered_rows
from predictor.artifacts.untrusted import read_json, sentence

from .protocol import (
    MOST_WORDS,
    Channel,
    Manner,
    Message,
    MessageKind,
    pack_rows,
    pack_values,
    unpack_abstention,
    unpack_scores,
)

SLICE = 128  # rows of an array per call, so that a single row between calls waits only milliseconds
_GROUP = 64  # rows of several requests per call
_QUEUE = 1.5  # times the limit of one call, to wait behind other calls: one of them may hang
_FRESH = 5.0  # more seconds for a new scorer to start
_STEP = 0.02  # seconds between two attempts to reach a scorer
_LONGEST_SENTENCE = 1_000  # characters


class RemoteScorer:
    """Answers like a Scorer, without an estimator in this process."""

    def __init__(
        self,
        connect: Callable[[str], Channel],
        order: Callable[[], str],
        contract: Contract,
        slowest: float,
        loading: float,
    ) -> None:
        """``order`` starts a scorer if there is none, and returns the name to ``connect`` to.

        ``slowest`` and ``loading`` are seconds for one call and for the first answer. Raises
        ArtifactError when the version cannot be loaded.
        """
        self._connect = connect
        self._order = order
        self._flags = len(contract.flags)
        self._features = {feature.name for feature in contract.features}
        self._slowest = slowest
        self._free: list[Channel] = []
        weakref.finalize(self, _close, self._free)  # a scorer ends when it has no connection left
        self._process = os.getpid()
        self._name = order()
        described = self._describe(loading)
        self.kind = cast("ScoreKind", described["kind"])
        self.has_shortcut = bool(described.get("shortcut"))
        self.confinement = sentence(", ".join(map(str, described["means"])))
        self._pack = pack_rows if described.get("floats") else pack_values
        self._gathering = _Group()
        self._gathering.closed = True
        self._joining = threading.Lock()
        self._turn = threading.Lock()
        self._remembered = lru_cache(maxsize=remembered_rows(contract))(self._score_one)

    def score(self, rows: Sequence[Row]) -> Scores:
        """One list per row, one finite float per flag.

        Raises ScoringError when the estimator gives no usable score, ScoringTimeout when it is too
        late, ScorerLost when its process ends.
        """
        if len(rows) == 1:
            return [self._remembered(rows[0])]
        # without a shortcut, small parts would cost much more per row
        size = SLICE if self.has_shortcut else len(rows) or 1
        answers: list[Sequence[float]] = []
        for at in range(0, len(rows), size):
            with _in_place(at):
                answers += self._ask(rows[at : at + size], Manner.ARRAY)
        return answers

    def wake(self) -> None:
        """Start a scorer if the last one ended for lack of requests; returns at once."""
        if not self._free:
            threading.Thread(target=self._call_on, daemon=True).start()

    def _call_on(self) -> None:
        with suppress(ScorerLost):  # the next request gets the reason
            self._free.append(self._channel(time.monotonic() + _FRESH))

    def _score_one(self, row: Row) -> Sequence[float]:
        # a row's answer must never depend on the rows of other requests
        return self._join(row) if self.has_shortcut else self._ask([row], Manner.ALONE)[0]

    # --- groups -------------------------------------------------------------------------------

    def _join(self, row: Row) -> Sequence[float]:
        """Score these rows together with all that come in while the previous group is scored."""
        with self._joining:
            group = self._gathering
            leads = group.closed or len(group.rows) >= _GROUP
            if leads:
                group = self._gathering = _Group()
            place = len(group.rows)
            group.rows.append(row)
        if leads:
            self._lead(group)
        else:
            group.settled.wait()
        scores = group.scores[place] if group.scores else None
        return scores or self._ask([row], Manner.ALONE, failed=not group.scores)[0]

    def _lead(self, group: "_Group") -> None:
        try:
            with self._turn:
                with self._joining:
                    group.closed = True
                group.scores = self._ask_once(group.rows)
        finally:
            group.settled.set()

    def _ask_once(self, rows: Sequence[Row]) -> list[Sequence[float] | None]:
        """Scores, None for each row to score alone; empty when the scorer has ended."""
        try:
            channel = self._channel(time.monotonic() + self._slowest)
            message = self._exchange(channel, rows, Manner.GROUP, self._slowest)
        except (EOFError, OSError, ScoringTimeout):
            return []
        self._free.append(channel)
        if message.kind is not MessageKind.SCORES or len(message.content) != 8 * self._flags * len(
            rows
        ):
            return [None] * len(rows)
        scores = unpack_scores(message.content, self._flags)
        return [one if all(map(math.isfinite, one)) else None for one in scores]

    # --- requests -----------------------------------------------------------------------------

    def _ask(self, rows: Sequence[Row], manner: Manner, *, failed: bool = False) -> Scores:
        """Scores of one request's rows, perhaps after waiting for a new scorer.

        A row during which the scorer ended is retried alone, once; ``failed``: this is that retry.
        If the scorer ended during another request's row, that does not count.
        """
        patience = _QUEUE * self._slowest + _FRESH
        deadline = time.monotonic() + patience
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise ScoringTimeout(patience)
            channel = self._channel(deadline)
            began = None if manner is Manner.ALONE else time.monotonic()
            try:
                message = self._exchange(channel, rows, manner, left)
                if message.kind is MessageKind.BEGUN:
                    began = time.monotonic()
                    message = channel.receive(self._most(rows), deadline - began)
            except TimeoutError:
                channel.close()
                raise ScoringTimeout(patience) from None
            except (EOFError, OSError):
                channel.close()
                if began is None:
                    continue
                if time.monotonic() - began >= self._slowest:
                    raise ScoringTimeout(self._slowest) from None
                if failed:
                    raise ScorerLost from None
                if len(rows) > 1:
                    return self._ask_singly(rows)
                failed, manner = True, Manner.ALONE
                continue
            self._free.append(channel)
            return self._read(message, len(rows))

    def _ask_singly(self, rows: Sequence[Row]) -> Scores:
        answers: list[Sequence[float]] = []
        for place, row in enumerate(rows):
            with _in_place(place):
                answers += self._ask([row], Manner.ALONE, failed=True)
        return answers

    def _exchange(
        self, channel: Channel, rows: Sequence[Row], manner: Manner, seconds: float
    ) -> Message:
        try:
            channel.socket.settimeout(seconds)
            channel.send(*self._pack(rows), manner)
            return channel.receive(self._most(rows), seconds)
        except (EOFError, OSError):
            channel.close()
            raise

    def _most(self, rows: Sequence[Row]) -> int:
        """The most bytes to read from an untrusted process."""
        return max(MOST_WORDS, 8 * self._flags * len(rows))

    def _read(self, message: Message, rows: int) -> Scores:
        if message.kind is MessageKind.REFUSED:
            raise ScorerLost(_words(message))
        if message.kind is MessageKind.ABSTAINED:
            raise self._abstention(message.content, rows)
        if message.kind is MessageKind.PROBLEM:
            raise ScoringError(_words(message))
        if message.kind is not MessageKind.SCORES or len(message.content) != 8 * self._flags * rows:
            raise ScoringError("the model's process answered something other than scores")
        scores = unpack_scores(message.content, self._flags)
        if not all(math.isfinite(score) for one in scores for score in one):
            raise ScoringError("the model answered a score that is not a finite number")
        return scores

    def _abstention(self, content: bytes, rows: int) -> ScoringError:
        try:
            said = unpack_abstention(content)
        except (TypeError, ValueError):
            return ScoringError("the model's process answered something odd")
        place = min(max(said.position, 0), rows - 1)
        fields = [name for name in said.fields if name in self._features]
        return Abstention(sentence(said.sentence, _LONGEST_SENTENCE), fields, place)

    # --- connections --------------------------------------------------------------------------

    def _channel(self, deadline: float) -> Channel:
        """A free connection, or a new one. Raises ScorerLost when there is no scorer."""
        if self._process != os.getpid():  # a fork must not share connections
            _close(self._free)
            self._process = os.getpid()
        while True:
            try:
                return self._free.pop() if self._free else self._connect(self._name)
            except OSError:
                pass  # the scorer ended because it was idle, or its supervisor ended
            try:
                self._name = self._order()
            except ArtifactError as error:
                if time.monotonic() > deadline:
                    raise ScorerLost(str(error)) from error
            time.sleep(_STEP)
            if time.monotonic() > deadline:
                raise ScorerLost

    def _describe(self, seconds: float) -> dict[str, Any]:
        channel = self._channel(time.monotonic() + seconds)
        try:
            channel.send(MessageKind.HELLO)
            message = channel.receive(MOST_WORDS, seconds)
        except TimeoutError:
            raise ArtifactError(f"the model was not loaded within {seconds:g} s") from None
        except (EOFError, OSError):
            raise ArtifactError("the process that loaded the model ended") from None
        finally:
            # versions are loaded in a thread, and a gevent socket belongs to one thread
            channel.close()
        if message.kind is not MessageKind.DESCRIPTION:
            raise ArtifactError(_words(message))
        described = read_json("the description of the loaded model", message.content)
        known = described.get("kind") in get_args(ScoreKind)
        if not (known and isinstance(described.get("means"), list)):
            raise ArtifactError("the process that loaded the model describes it oddly")
        return described


@contextmanager
def _in_place(place: int) -> Iterator[None]:
    """Count an abstention's row from the first row of the request, not of the part sent."""
    try:
        yield
    except Abstention as abstention:
        abstention.position += place
        raise


def _words(message: Message) -> str:
    """The message of an untrusted process: shortened, on one line."""
    return sentence(message.content.decode(errors="replace"), _LONGEST_SENTENCE)


def _close(channels: list[Channel]) -> None:
    while channels:
        channels.pop().close()


class _Group:
    """Rows that are sent together, and their result."""

    __slots__ = ("closed", "rows", "scores", "settled")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.closed = False  # to more rows
        self.settled = threading.Event()
        self.scores: list[Sequence[float] | None] = []
