"""The tests of the log and of activations again, on a real PostgreSQL."""

import os
import subprocess
import sys

import pytest

from tests.lengths import LONG_TESTS
from tests.servers import ROOT, postgres

pytestmark = pytest.mark.slow

# Tests that start servers have their own database.
TESTS = [
    *(
        "test_admin",
        "test_case_work",
        "test_drift",
        "test_outcomes",
        "test_plans",
        "test_request_log",
    ),
    *("test_retention", "test_spool", "test_what_the_log_keeps"),
]


def test_it_works():
    """A separate process, since a process has one database."""
    tests = [f"tests/log/{name}.py" for name in TESTS]
    tests += [f"tests/registry/test_{name}.py" for name in ("activation", "admin", "comparison")]
    chosen = "" if LONG_TESTS else "not slow"
    with postgres() as database:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-m", chosen, "-p", "no:cacheprovider", *tests],
            cwd=ROOT, env=os.environ | {"TEST_DATABASE_URL": database.url},
            capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-10_000:]
    assert " passed" in done.stdout
