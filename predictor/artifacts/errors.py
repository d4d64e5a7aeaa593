"""The errors between a folder of files and a score, each with its own sentence."""

from collections.abc import Sequence
from dataclasses import dataclass


class ArtifactError(ValueError):
    """A model version cannot be used; the message is one sentence for the person who made it."""


class ScoringError(RuntimeError):
    """The estimator gave no usable score for a valid row (it raised, or answered NaN)."""


class ImpossibleScores(ScoringError):
    """The estimator's answer cannot be right: a probability beyond 1, for example."""


class ScoringTimeout(ScoringError):
    """The estimator did not answer in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the model did not answer within {seconds:g} s")


class ScorerLost(ScoringError):
    """The scorer process ended during this request, or none can be started now."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why or "the model's process ended while it answered; try later")


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request, and what the caller probably meant."""

    field: str
    message: str
    suggestion: str | int | float | bool | None = None


class InvalidInput(ValueError):
    """A request does not fit the contract; ``errors`` names every field that is wrong."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(map(_sentence, errors)))
        self.errors = errors


class Abstention(ScoringError):
    """The estimator has no answer for these valid values; ``sentence`` is its own message.

    ``position`` is the row's index in the call, ``fields`` are the features whose values cause
    it, as far as that can be found out.
    """

    def __init__(self, sentence: str, fields: Sequence[str] = (), position: int = 0) -> None:
        super().__init__(f"the model cannot answer these values: {sentence}")
        self.sentence = sentence
        self.fields = list(fields)
        self.position = position
        self.prefix = ""  # the row's place in the request: "[3]."

    @property
    def errors(self) -> list[FieldError]:
        """One per field, for a problem document."""
        named = self.fields or [""]
        return [FieldError(f"{self.prefix}{name}".rstrip("."), self.sentence) for name in named]


# Failures of an estimator whose own words are for the caller; those of others are for the log.
EXPLAINED = (Abstention, ScoringTimeout, ScorerLost)


def public_sentence(error: ScoringError) -> str:
    """The reason for a missing score, as far as a caller may read it."""
    explained = isinstance(error, EXPLAINED)
    return str(error) if explained else "the model gave no usable score for this request"


def _sentence(error: FieldError) -> str:
    return f"{error.field}: {error.message}" if error.field else error.message
