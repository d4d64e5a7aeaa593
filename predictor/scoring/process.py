"""What a forked process asks of the system: its end, its memory, its open files."""

import ctypes
import gc
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def read_whole(file: int) -> bytes:
    """The whole content of an open file, whatever position another process left it at."""
    data = b""
    while piece := os.pread(file, 2**30, len(data)):
        data = data + piece if data else piece
    return data


def give_back_memory() -> None:
    """Return memory that loading needed to the system, where the C library can."""
    gc.collect()
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def end_with_the_supervisor() -> None:
    """Have the kernel end this process with its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def prefer_for_killing() -> None:
    """Have the kernel kill this process, not a worker, when memory runs out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def close_all_but(*kept: int) -> None:
    """Close every open file except the ``kept`` ones and those of numbers below 3."""
    first = 3
    for file in sorted(kept):
        if first < file:  # an empty range, closerange(0, 0), would close all
            os.closerange(first, file)
        first = file + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))
