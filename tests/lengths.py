"""How long the longest tests are: short with every change, as long as promised each night.

pipelines/test.yml sets LONG_TESTS for its nightly run; set it to see the promises kept.
"""

import os

LONG_TESTS = os.environ.get("LONG_TESTS", "").lower() == "true"


def length(short: int, promised: int) -> int:
    """How often, or for how many seconds, a test does what it does."""
    return promised if LONG_TESTS else short
