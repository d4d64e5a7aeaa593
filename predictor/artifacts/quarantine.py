"""A confined process for the first load of a version: what happens to it is the verdict.

A crash, a hang or too much memory ends only that process, and becomes the report's reason. A server
keeps such processes ready (``Policy.room``). Other programs start one, with an environment that
holds no secret.
"""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from .confinement import Confinement, bare_environment, confine
from .errors import ArtifactError
from .files import MODEL, VersionFiles, read_version
from .libraries import import_for, import_scikit_learn
from .policy import Limits, Policy, TaskResult
from .report_store import Report
from .untrusted import read_json, sentence

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = [sys.executable, "-m", "predictor.artifacts.quarantine"]
_STARTUP = 60  # seconds that a busy machine may take on top of the processor time allowed

# Stopping a server stops its processes too; that is no verdict on the model.
_STOPPED = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM})


def examine_apart(files: VersionFiles, policy: Policy) -> Report:
    """``examine`` in a process with limits; its failure becomes the report's reason.

    Raises ArtifactError when that process could not do its work at all.
    """
    try:
        done = _run("examine", files, policy)
        if done.status < 0 and -done.status not in _STOPPED | {signal.SIGXCPU}:
            # this machine may have caused a crash (no memory left, a fault of a library): only a
            # second one is a verdict
            how = _how(-done.status, policy.limits)
            logger.warning("the process that tried %s %s: trying once more", files.folder, how)
            done = _run("examine", files, policy)
    except TimeoutError:
        return _ended(files, f"did not end within {patience(policy):g} s")
    if -done.status in _STOPPED:
        name = signal.Signals(-done.status).name
        raise ArtifactError(f"it could not be examined: the process was stopped ({name})")
    if done.status < 0:
        return _ended(files, _how(-done.status, policy.limits))
    if done.status > 0:  # this machine may have caused it, so no verdict is kept
        raise ArtifactError(f"it could not be examined: {sentence(done.said, 300)}")
    try:
        report = Report.of(read_json("the examination's answer", done.answer))
    except TypeError as error:
        raise ArtifactError("it could not be examined: the answer is not a report") from error
    if report.sha256 != files.fingerprint:
        return replace(
            report, sha256=files.fingerprint, reason="its files changed while they were examined"
        )
    return report


def tabulate_apart(
    files: VersionFiles, policy: Policy, report: Report | None = None
) -> memoryview[float] | None:
    """The scores of an accepted version's grid, computed in a process with limits.

    Empty when the limits are too tight, None when that process could not do its work at all: then
    the estimator scores each request.
    """
    try:
        done = _run("tabulate", files, policy, report)
    except TimeoutError:
        return memoryview(b"").cast("d")
    if -done.status in _STOPPED:
        return None
    if done.status < 0:
        return memoryview(b"").cast("d")
    fingerprint, content = done.answer[:64], memoryview(done.answer)[64:]
    if fingerprint != files.fingerprint.encode() or len(content) % 8:
        return None
    scores = content.cast("d")
    return scores if all(map(math.isfinite, scores)) else None


def patience(policy: Policy) -> float:
    """Seconds until a process counts as hanging."""
    return 2 * policy.limits.seconds + _STARTUP


def _run(
    task: str, files: VersionFiles, policy: Policy, report: Report | None = None
) -> TaskResult:
    """Raises TimeoutError when the process does not end."""
    if policy.room is not None:
        return policy.room.run(task, files, policy, report)
    request = {
        "task": task,
        "folder": str(files.folder.absolute()),
        "policy": policy.as_json(),
        "report": (report or Report()).for_scoring(),
    }
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            _COMMAND, input=json.dumps(request).encode(), capture_output=True, cwd=_ROOT,
            env=bare_environment(_ROOT), timeout=patience(policy), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        raise TimeoutError from late
    said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return TaskResult(done.stdout, done.returncode, said)


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


def main() -> None:
    """Do the task that standard input names; its result goes to standard output."""
    request = json.load(sys.stdin)
    policy = Policy.from_json(request["policy"])
    answer = os.dup(1)
    os.dup2(2, 1)  # an estimator that prints must not write into the answer
    files = read_version(Path(request["folder"]), policy.limits)
    import_scikit_learn()
    import_for(files.content[MODEL], policy.modules)
    confine(Confinement(policy.limits.memory, policy.limits.seconds, policy.confined))
    waiting = memoryview(TASKS[request["task"]](files, policy, Report(**request["report"])))
    while waiting:
        waiting = waiting[os.write(answer, waiting) :]


def _examine(files: VersionFiles, policy: Policy, _report: Report) -> bytes:
    # here and below: numpy and scikit-learn, which the parent process does without
    from .examination import examine  # noqa: PLC0415

    return json.dumps(asdict(examine(files, policy))).encode()


def _tabulate(files: VersionFiles, policy: Policy, report: Report) -> bytes:
    from .tabulation import tabulate_version  # noqa: PLC0415

    return files.fingerprint.encode() + tabulate_version(files, policy, report).tobytes()


TASKS = {"examine": _examine, "tabulate": _tabulate}


if __name__ == "__main__":
    main()
