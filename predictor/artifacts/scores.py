"""Scores, and the interface of everything that gives them."""

from collections.abc import Sequence
from typing import Literal, Protocol

from .contract import Contract
from .errors import Abstention
from .inputs import Row
from .untrusted import MAX_TEXT

_TOGETHER = 250  # rows scored in one call
_MOST_SILENT = 200  # rows without an answer, each of which takes some calls to find
_REMEMBERED = 10_000  # most rows whose scores a cache keeps, and
_REMEMBERED_BYTES = 8 * 2**20  # the memory it may take

Scores = Sequence[Sequence[float]]  # per row one float per flag, in the order of the flags
ScoreKind = Literal["probability", "hard", "value"]


class Answering(Protocol):
    """Anything that can score rows."""

    def score(self, rows: Sequence[Row]) -> Scores:
        """One list per row, one finite float per flag. Raises ScoringError."""


class Scoring(Answering, Protocol):
    """The scorer of a version: its table, its estimator, or another process that has it."""

    kind: ScoreKind
    confinement: str  # what confines the code behind the scores

    def wake(self) -> None:
        """Get ready for requests in the next seconds; returns at once."""


def remembered_rows(contract: Contract) -> int:
    """How many rows a cache keeps: each score takes 32 bytes, each cell about 100."""
    texts = sum(4 * (MAX_TEXT if f.open else f.max_length) for f in contract.features
                if f.dtype == "object" and (f.open or not f.is_choice))  # fmt: skip
    cells = sum(feature.size for feature in contract.features)
    row = 300 + 32 * len(contract.flags) + 100 * cells + texts
    return min(_REMEMBERED, _REMEMBERED_BYTES // row)


def answers(
    model: Answering, rows: Sequence[Row], most_silent: int = _MOST_SILENT
) -> list[Sequence[float] | None]:
    """The scores of each row, None where the model has no answer.

    Raises ScoringError for a failure, and for more than ``most_silent`` rows without an answer.
    """
    found: list[Sequence[float] | None] = []
    silent = 0
    while len(found) < len(rows):
        part = rows[len(found) : len(found) + _TOGETHER]
        try:
            found += model.score(part)
        except Abstention as abstention:
            silent += 1
            if silent > most_silent:
                raise
            at = abstention.position
            found += [*(model.score(part[:at]) if at else []), None]
    return found
