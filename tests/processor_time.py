"""The fast suite says what it cost, and a test that is not fast may not be in it.

Run with the slow tests, beside others on every processor, no test is measured.
"""

import resource
from collections.abc import Iterator
from typing import Any

import pytest

# Seconds of processor time. A fast test takes a hundredth of this, the first of its kind (what is
# imported, fitted or compiled once) a tenth.
MOST = 3.0


def spent() -> float:
    """Seconds of processor time of this process and of those it has waited for."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail what took too long; what waits or is paused takes no processor time."""
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
    """One line with the cost of the whole fast suite."""
    if _is_fast_suite(config):
        terminalreporter.write_line(f"{spent():.0f} s of processor time")


def _is_fast_suite(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "not slow")
