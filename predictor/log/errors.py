"""The log's errors. ``predictor.http.errors`` turns them into responses."""

from uuid import UUID


class UnknownPrediction(LookupError):
    """The log has no prediction with that id."""

    def __init__(self, identity: UUID) -> None:
        super().__init__(f"there is no prediction {identity} in the database (or not yet)")


class LogUnavailable(RuntimeError):
    """The answer could not be recorded, so it is withheld."""

    def __init__(self) -> None:
        super().__init__(
            "the prediction log cannot be written, so no prediction is answered; try later"
        )
