"""Wait until no other process prepares this folder: ``turn.py FD`` for a shell's descriptor.

A file lock belongs to the open file, so the shell that opened it holds the lock after this program
has ended. With ``turn.py FD now`` it does not wait: exit code 1 when another process has the lock.
Standard library only: scripts/run uses it before anything is installed.
"""

import fcntl
import os
import sys
import time

TURN_FILE = ".preparing"  # in the folder of the data, which may be a clone
_POLL = 0.2  # seconds


def take_turn(file: int) -> None:
    """Lock the open ``file``, which is released when all copies of it are closed.

    Raises SystemExit when the process that started this one ends meanwhile.
    """
    parent, has_reported = os.getppid(), False
    while not lock(file):
        if not has_reported:
            print("waiting for another start, which prepares the same folder", flush=True)
            has_reported = True
        time.sleep(_POLL)
        if os.getppid() != parent:
            sys.exit(1)


def lock(file: int) -> bool:
    """Lock the open ``file`` if no other process has; returns whether that is so."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    if sys.argv[2:] != ["now"]:
        take_turn(int(sys.argv[1]))
    elif not lock(int(sys.argv[1])):
        sys.exit(1)
