"""Several scorers of one version, to use idle cores."""

import os
from collections.abc import Sequence

from predictor.artifacts.inputs import Row
from predictor.artifacts.scores import Scores, Scoring


class Replicas:
    """Scores like one scorer: each call goes to the one with the fewest calls in progress here."""

    def __init__(self, scorers: Sequence[Scoring]) -> None:
        """``scorers`` are of one version, so the first one describes them all."""
        self._scorers = scorers
        self._calls = [0] * len(scorers)
        self.kind = scorers[0].kind
        self.confinement = scorers[0].confinement

    def score(self, rows: Sequence[Row]) -> Scores:
        """One list per row, one finite float per flag. Raises ScoringError."""
        place = min(self._order(), key=self._calls.__getitem__)
        self._calls[place] += 1
        try:
            return self._scorers[place].score(rows)
        finally:
            self._calls[place] -= 1

    def wake(self) -> None:
        """Get ready for requests in the next seconds; returns at once."""
        for scorer in self._scorers:
            scorer.wake()

    def _order(self) -> list[int]:
        """Another order in each process, so that two processes with little load do not collide."""
        places = list(range(len(self._scorers)))
        first = os.getpid() % len(places)
        return places[first:] + places[:first]
