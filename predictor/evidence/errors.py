"""The errors that prevent a verdict, and the error by which a verdict prevents an action."""


class EvidenceError(ValueError):
    """A model cannot be judged; the message is one sentence that says why."""


class RefusedError(RuntimeError):
    """A rule refuses the model; the message names the rules, ``status`` is the exit status."""

    status = 3  # 1 is for other failures
