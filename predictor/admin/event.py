"""One line of a model's story."""

from dataclasses import dataclass, field
from datetime import datetime

GOOD, BAD, PLAIN = "good", "bad", "plain"  # what a mark's colour says, and its word too
MOST = 200  # of each kind of event, the newest


@dataclass(frozen=True)
class Event:
    """One thing that happened: when, to which version, in a sentence, with what is known of it."""

    time: datetime
    what: str
    version: str
    sentence: str
    tone: str = PLAIN
    facts: list[tuple[str, str]] = field(default_factory=list)


def known(facts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that have a value."""
    return [(title, value) for title, value in facts if value]
