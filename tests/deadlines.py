"""Waiting in tests: for a condition, with an end."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], seconds: float = 10) -> None:
    """Return as soon as ``condition`` holds; fail when it does not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not come true within {seconds} s"
        time.sleep(0.01)
