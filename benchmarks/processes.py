"""Memory and processor time of a process and all its descendants."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def memory_of(pid: int) -> float:
    """MB of a process and all its descendants, shared pages counted once."""
    total = 0
    for member in family(pid):
        try:
            rollup = Path(f"/proc/{member}/smaps_rollup").read_text()
        except OSError:  # it has just ended
            continue
        total += next(int(line.split()[1]) for line in rollup.splitlines() if "Pss:" in line)
    return total / 1024


def processor_seconds(pid: int) -> float:
    """Processor time that a process and its descendants have used so far."""
    ticks = 0
    for member in family(pid):
        with suppress(OSError):  # it has just ended
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """``pid`` and its descendants."""
    parent_of = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            fields = stat.read_text().rpartition(")")[2].split()
            parent_of[int(stat.parent.name)] = int(fields[1])
    members = [pid]
    for member in members:
        members += [child for child, parent in parent_of.items() if parent == member]
    return members


def end_group(pid: int) -> None:
    """End workers that outlived their parent: they are in its session."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
