"""A process of its own for the first load of a version, with little it could do harm with.

A crash, a hang or too much memory ends that process; here it becomes the report's reason. The
process is started afresh (never forked: OpenMP hangs after a fork) with an environment of its
own, so it holds no secret of the server.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .errors import ArtifactError
from .files import VersionFiles, read_version
from .policy import Limits, Policy
from .verdicts import Report, numeric_settings

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = [sys.executable, "-m", "predictor.artifacts.quarantine"]
_STARTUP = 60  # seconds that a busy machine may take besides the processor time that is allowed
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

# Who stops a server, stops what it started: that says nothing about the model.
_STOPPED = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM})

# What Python code in there may not do: see https://docs.python.org/3/library/audit_events.html
_FORBIDDEN = frozenset({
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system",
    "pty.spawn", "subprocess.Popen", "os.chmod", "os.chown", "os.kill", "os.link", "os.mkdir",
    "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate", "shutil.rmtree",
    "shutil.move", "shutil.copyfile", "socket.bind", "socket.connect", "socket.sendto",
    "socket.getaddrinfo", "ftplib.connect", "urllib.Request",
})  # fmt: skip


def examine_apart(files: VersionFiles, policy: Policy) -> Report:
    """``examine`` in a process with limits; what happens to it is the report's reason.

    Raises ArtifactError when that process could not do its work at all.
    """
    try:
        done = _apart("examine", files, policy)
        if done.returncode < 0 and -done.returncode not in _STOPPED | {signal.SIGXCPU}:
            # a crash may be this machine's own (no memory left, a fault of a library): only one
            # that comes again is a verdict
            how = _how(-done.returncode, policy.limits)
            logger.warning("the process that tried %s %s: once more", files.folder, how)
            done = _apart("examine", files, policy)
    except subprocess.TimeoutExpired as late:
        return _ended(files, f"did not come to an end in {late.timeout:g} s")
    if -done.returncode in _STOPPED:
        name = signal.Signals(-done.returncode).name
        raise ArtifactError(f"it could not be examined: the process was stopped ({name})")
    if done.returncode < 0:
        return _ended(files, _how(-done.returncode, policy.limits))
    if done.returncode > 0:  # the fault may be this machine's, so no verdict is kept
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ArtifactError(f"it could not be examined: {last[:300]}")
    report = Report(**json.loads(done.stdout))
    if report.sha256 != files.fingerprint:
        return replace(
            report, sha256=files.fingerprint, reason="its files changed while they were examined"
        )
    return report


def tabulate_apart(
    files: VersionFiles, policy: Policy, report: Report | None = None
) -> memoryview[float] | None:
    """The scores of an accepted version's grid, computed in a process with limits.

    Empty when it cannot be done within them, None when that process could not do its work at all:
    then the estimator is asked per request.
    """
    try:
        done = _apart("tabulate", files, policy, report)
    except subprocess.TimeoutExpired:
        return memoryview(b"").cast("d")
    if -done.returncode in _STOPPED:
        return None
    if done.returncode < 0:
        return memoryview(b"").cast("d")
    fingerprint, scores = done.stdout[:64], memoryview(done.stdout)[64:]
    return scores.cast("d") if fingerprint == files.fingerprint.encode() else None


def _apart(
    task: str, files: VersionFiles, policy: Policy, report: Report | None = None
) -> subprocess.CompletedProcess[bytes]:
    request = {
        "task": task,
        "folder": str(files.folder.absolute()),
        "policy": _as_json(policy),
        "report": asdict(report or Report()),
    }
    return subprocess.run(  # noqa: S603 - our own module
        _COMMAND,
        input=json.dumps(request).encode(), capture_output=True, cwd=_ROOT, env=_environment(),
        timeout=2 * policy.limits.seconds + _STARTUP, check=False,
    )  # fmt: skip


def _ended(files: VersionFiles, how: str) -> Report:
    return Report(
        reason=f"the process that tried the model {how}",
        sha256=files.fingerprint,
        checked=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _how(number: int, limits: Limits) -> str:
    if number == signal.SIGXCPU:
        return f"took more than {limits.seconds} s of processor time"
    if number == signal.SIGKILL:
        return f"was killed: it took too much memory, or more than {limits.seconds} s"
    return f"crashed ({signal.Signals(number).name})"


def _environment() -> dict[str, str]:
    """Nothing of the server's own: no keys, no addresses; but what chooses its arithmetic."""
    kept = {key: os.environ[key] for key in _KEPT if key in os.environ} | numeric_settings()
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return kept | dict.fromkeys(_ONE_THREAD, "1") | {
        "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "JOBLIB_MULTIPROCESSING": "0",
    }  # fmt: skip


def _as_json(policy: Policy) -> dict[str, Any]:
    return {
        "limits": asdict(policy.limits),
        "modules": sorted(policy.modules),
        "other_sklearn": policy.other_sklearn,
        "cells": policy.cells,
    }


def _from_json(told: dict[str, Any]) -> Policy:
    return Policy(
        limits=Limits(**told["limits"]),
        modules=frozenset(told["modules"]),
        other_sklearn=told["other_sklearn"],
        cells=told["cells"],
    )


def _confine(limits: Limits) -> None:
    """From here on: so much memory and time, no file grows, no process starts."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 2))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # root is exempt; the hook below is for all
    sys.addaudithook(_refuse)


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    writes = event == "open" and bool(args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if writes or event in _FORBIDDEN:
        raise PermissionError(f"{event} is not allowed while a model is tried")


def main() -> None:
    """Do the task that standard input names; what comes of it goes to standard output."""
    request = json.load(sys.stdin)
    policy = _from_json(request["policy"])
    answer = os.dup(1)
    os.dup2(2, 1)  # a talkative estimator must not write into the answer
    _confine(policy.limits)
    files = read_version(Path(request["folder"]), policy.limits)
    waiting = memoryview(_TASKS[request["task"]](files, policy, Report(**request["report"])))
    while waiting:
        waiting = waiting[os.write(answer, waiting) :]


def _examine(files: VersionFiles, policy: Policy, _report: Report) -> bytes:
    # here and below: numpy and scikit-learn, which the process that asks can do without
    from .examination import examine  # noqa: PLC0415

    return json.dumps(asdict(examine(files, policy))).encode()


def _tabulate(files: VersionFiles, policy: Policy, report: Report) -> bytes:
    from .tabulation import tabulate_version  # noqa: PLC0415

    return files.fingerprint.encode() + tabulate_version(files, policy, report).tobytes()


_TASKS = {"examine": _examine, "tabulate": _tabulate}


if __name__ == "__main__":
    main()
