"""What keeps the server from an answer, each with its own sentence.

Nothing here knows HTTP: ``predictor.http.errors`` turns these into a status and a document.
"""

from uuid import UUID

from predictor.artifacts.errors import FieldError


class UnknownModel(LookupError):
    """Nothing is served under that name."""

    def __init__(self, name: str, suggestion: str | None = None) -> None:
        ask = f"; did you mean {suggestion!r}?" if suggestion else ""
        super().__init__(f"there is no model {name!r}{ask}")


class UnknownPrediction(LookupError):
    """No prediction is on record under that id."""

    def __init__(self, identity: UUID) -> None:
        super().__init__(f"there is no prediction {identity} in the database (or not yet)")


class ModelUnavailable(RuntimeError):
    """The model exists but no version of it can answer."""


class LogUnavailable(RuntimeError):
    """The answer could not be put on record, so it is not given."""

    def __init__(self) -> None:
        super().__init__(
            "the prediction log cannot be written, so no prediction is answered; try later"
        )


class MalformedBody(Exception):
    """The request's body is not what its type says."""

    def __init__(self, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.errors = [FieldError(field, detail)] if field else []
