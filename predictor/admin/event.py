"""One line of a model's story."""

from dataclasses import dataclass, field
from datetime import datetime

GOOD, BAD, PLAIN = "good", "bad", "plain"  # the colour of a mark, and its word
MOST = 200  # newest events of each kind


@dataclass(frozen=True)
class Event:
    """One event: its time, its version, a sentence, and further facts."""

    time: datetime
    what: str
    version: str
    sentence: str
    tone: str = PLAIN
    facts: list[tuple[str, str]] = field(default_factory=list)


def known(facts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The facts that have a value."""
    return [(title, value) for title, value in facts if value]
