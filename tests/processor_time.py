"""Reports the processor time of the fast suite, and fails tests that are too slow for it.

In a run with the slow tests, which share the processors, no test is measured.
"""

import resource
from collections.abc import Iterator
from typing import Any

import pytest

# Seconds of processor time. A fast test takes a hundredth of this, the first of its kind (which
# imports, fits or compiles) a tenth.
MOST = 3.0


def spent() -> float:
    """Seconds of processor time of this process and its finished children."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test that takes too long; waiting takes no processor time."""
    before = spent()
    result = yield
    took = spent() - before
    if took > MOST and _is_fast_suite(item.config):
        pytest.fail(
            f"this test took {took:.1f} s of processor time, and a fast one may take {MOST:g}: "
            "make it cheaper, or mark it slow",
            pytrace=False,
        )
    return result


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print one line with the cost of the whole fast suite."""
    if _is_fast_suite(config):
        terminalreporter.write_line(f"{spent():.0f} s of processor time")


def _is_fast_suite(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "not slow")
