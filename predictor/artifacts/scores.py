"""What scores are, wherever they come from."""

from collections.abc import Sequence
from typing import Literal, Protocol

from .inputs import Row

Scores = Sequence[Sequence[float]]  # per row one float per flag, in the order of the flags
ScoreKind = Literal["probability", "hard", "value"]


class Scoring(Protocol):
    """What answers for a version: its table, its estimator, or another process that has that."""

    kind: ScoreKind
    confinement: str  # what holds back the code behind the scores

    def score(self, rows: Sequence[Row]) -> Scores:
        """One list per row, one finite float per flag. Raises ScoringError."""
