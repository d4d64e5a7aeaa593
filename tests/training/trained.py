"""The demo models, trained once for all tests of a run, in any process."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from tests.servers import ROOT

COMMANDS = {
    "crime": ["training.crime"],
    "crime-outcomes": ["training.crime", "--outcomes"],
    "titanic": ["training.titanic"],
}


def train_once(folder: Path, name: str) -> Path:
    """Train ``<folder>/<name>/1.0.0``, which tests read but never change."""
    module, *options = COMMANDS[name]
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process may be training it
        if not (folder / name).exists():
            done = subprocess.run(
                [sys.executable, "-m", module, str(folder), *options],
                cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"},
                capture_output=True, text=True, timeout=600, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
    return folder / name / "1.0.0"
