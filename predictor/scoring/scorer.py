"""A fork of the template: confines itself, unpickles one version, and answers.

It gets everything as open files: the version's files, the socket to answer on, a socket that ends
with the supervisor, and a clock to record signs of life.
"""

import os
import socket
from collections.abc import Callable
from typing import Any

from predictor.artifacts.files import MODEL, VersionFiles
from predictor.artifacts.libraries import import_for
from predictor.artifacts.policy import Policy
from predictor.artifacts.quarantine import TASKS
from predictor.artifacts.report_store import Report

from .answers import Answers
from .clock import Clock
from .process import close_all_but, end_with_the_supervisor, prefer_for_killing, read_whole
from .protocol import Channel, MessageKind
from .version_task import VersionTask


def run(order: dict[str, Any], files: list[int]) -> None:
    """Do the order's task, and return when there is nothing more to do."""
    door, pulse, clock, *held = files
    end_with_the_supervisor()
    # a descriptor, not a socket object: it must stay open until this process has ended
    os.write(pulse, str(os.getpid()).encode())  # BrokenPipeError: the supervisor has ended
    prefer_for_killing()
    alive = Clock(clock)
    content = dict(zip(order["files"], map(read_whole, held), strict=True))
    policy = Policy.from_json(order["policy"])
    import_for(content[MODEL], policy.modules)
    for number in (1, 2):  # what an estimator prints belongs in no log
        os.dup2(0, number)
    close_all_but(door, pulse)
    task, callers = VersionTask(order, content, policy), socket.socket(fileno=door)
    if once := TASKS.get(order["task"]):
        callers.setblocking(True)  # the supervisor's timeouts are set on the same open file
        _do_once(task, once, Channel(callers))
    else:
        Answers(callers, pulse, alive).run(task)


def _do_once(
    task: VersionTask, work: Callable[[VersionFiles, Policy, Report], bytes], caller: Channel
) -> None:
    try:
        task.confine(task.policy.limits.seconds)
        caller.send(MessageKind.RESULT, work(task.version(), task.policy, task.report()))
    except Exception as error:
        caller.send(MessageKind.PROBLEM, f"{type(error).__name__}: {error}".encode())
        raise
