"""Run a command that ends when a process does: ``companion.py PID COMMAND…``.

A killed shell or server leaves its child processes behind. This program checks twice a second that
PID, which must have started it, is still its parent; if not, it ends the command and all its
children. Standard library only: scripts/run uses it before anything is installed.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

_POLL = 0.5  # seconds


def run_beside(parent: int, command: list[str]) -> int:
    """Run ``command`` until it or ``parent`` ends; returns its exit status, as in a shell."""
    job = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - the caller's own
    try:
        while os.getppid() == parent:
            with suppress(subprocess.TimeoutExpired):
                status = job.wait(_POLL)
                return status if status >= 0 else 128 - status
        return 128 + signal.SIGTERM
    finally:
        with suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGTERM)


def _stop(number: int, frame: Any) -> None:
    raise SystemExit(128 + number)


def main() -> None:
    """The command line; the exit code is the command's."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # ignored under nohup and a shell's &
            signal.signal(number, _stop)
    sys.exit(run_beside(int(sys.argv[1]), sys.argv[2:]))


if __name__ == "__main__":
    main()
