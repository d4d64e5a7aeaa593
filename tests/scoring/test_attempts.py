"""How soon a process that failed is started again."""

import time

from predictor.scoring.children import Attempts


def waits(*worked):
    """Seconds to wait after each of some failures, by the seconds of work before them."""
    attempts, found = Attempts(), []
    for seconds in worked:
        attempts.fail(seconds)
        found.append(max(0, round(attempts.not_before - time.monotonic(), 1)))
    return found


def test_what_fails_at_once_waits_longer_and_longer():
    assert waits(*[0.0] * 10) == [0, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30]


def test_what_works_meanwhile_is_tried_at_once():
    """A row that ends a scorer every few seconds must not keep it away from all other callers."""
    assert waits(*[3.0] * 50) == [0] * 50
    assert waits(0, 0, 0, 0, 5.0, 0) == [0, 0.2, 0.4, 0.8, 0, 0.2]
