"""What keeps a verdict from being given, and what a verdict keeps from being done."""


class EvidenceError(ValueError):
    """A model cannot be judged; the message is one sentence that says why."""


class RefusedError(RuntimeError):
    """A rule refuses the model; the message names the rules, ``status`` is the program's."""

    status = 3  # 1 is that of what could not be done
