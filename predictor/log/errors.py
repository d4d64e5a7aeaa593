"""What the log cannot do. ``predictor.http.errors`` makes answers of these."""

from uuid import UUID


class UnknownPrediction(LookupError):
    """No prediction is on record under that id."""

    def __init__(self, identity: UUID) -> None:
        super().__init__(f"there is no prediction {identity} in the database (or not yet)")


class LogUnavailable(RuntimeError):
    """The answer could not be put on record, so it is not given."""

    def __init__(self) -> None:
        super().__init__(
            "the prediction log cannot be written, so no prediction is answered; try later"
        )
