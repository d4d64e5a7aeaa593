"""The kinds of features: one object each, with all rules that depend on the kind."""

from .choices import Choice
from .dates import Date, DateTime
from .feature import UNKNOWN_WORDS, Kind, unknown_word
from .number_lists import Numbers
from .numbers import AnyNumber, WholeNumber
from .words import Boolean, Text

CHOICE, NUMBER, WHOLE, NUMBERS = Choice(), AnyNumber(), WholeNumber(), Numbers()
BOOLEAN, TEXT, DATE, DATE_TIME = Boolean(), Text(), Date(), DateTime()

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (CHOICE, NUMBER, WHOLE, BOOLEAN, TEXT, DATE, DATE_TIME, NUMBERS)
}

__all__ = [
    "BOOLEAN", "CHOICE", "DATE", "DATE_TIME", "KINDS", "NUMBER", "NUMBERS", "TEXT",
    "UNKNOWN_WORDS", "WHOLE", "Kind", "unknown_word",
]  # fmt: skip
