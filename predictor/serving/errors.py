"""Why no version answers. ``predictor.http.errors`` turns these into responses."""


class UnknownModel(LookupError):
    """No model is served under that name."""

    def __init__(self, name: str, suggestion: str | None = None) -> None:
        ask = f"; did you mean {suggestion!r}?" if suggestion else ""
        super().__init__(f"there is no model {name!r}{ask}")


class ModelUnavailable(RuntimeError):
    """The model exists but no version of it can answer."""


class ModelLoading(ModelUnavailable):
    """The model is being examined or loaded; it may answer in a moment."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the model {name} is being examined or loaded; try again in a moment")
