"""What keeps a verdict from being given."""


class EvidenceError(ValueError):
    """A model cannot be judged; the message is one sentence that says why."""
