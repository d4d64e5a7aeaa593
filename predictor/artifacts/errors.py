"""What can go wrong between a folder of files and a score, each with its own sentence."""

from dataclasses import dataclass


class ArtifactError(ValueError):
    """A model version cannot be used; the message is one sentence for the person who made it."""


class ScoringError(RuntimeError):
    """The estimator gave no usable score for a valid row (it raised, or answered NaN)."""


class ScoringTimeout(ScoringError):
    """The estimator did not answer in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the model did not answer within {seconds:g} s")


class ScorerLost(ScoringError):
    """The process that scores the version ended over this request, or cannot be had now."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why or "the model's process ended while it answered; try later")


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request, and what was probably meant."""

    field: str
    message: str
    suggestion: str | int | float | None = None


class InvalidInput(ValueError):
    """A request does not fit the contract; ``errors`` names every field that is wrong."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(map(_sentence, errors)))
        self.errors = errors


def _sentence(error: FieldError) -> str:
    return f"{error.field}: {error.message}" if error.field else error.message
