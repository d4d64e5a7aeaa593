"""A test that takes seconds fails unless it is marked slow."""

import subprocess
import sys

import pytest

from tests.servers import ROOT

TESTS = """
import time
import pytest
from tests import processor_time

processor_time.MOST = 0.2

def burn():
    end = time.process_time() + 0.4
    while time.process_time() < end:
        pass

def test_burns():
    burn()

@pytest.mark.slow
def test_may_burn():
    burn()

def test_waits():
    time.sleep(0.4)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("which", "result"), [("not slow", "1 failed, 1 passed"), ("", "3 passed")]
)
def test_it_works(tmp_path, which, result):
    (tmp_path / "test_burning.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.processor_time", "-p", "no:django"]
    alone = ["-c", "/dev/null", "--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-q"]
    ran = subprocess.run(
        [*command, *alone, "-m", which, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result in ran.stdout, ran.stdout + ran.stderr
    sentence = "s of processor time, and a fast one may take 0.2: make it cheaper"
    assert (sentence in ran.stdout) == (which != "")
