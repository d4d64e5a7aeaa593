"""A real server and its commands, as a day of the month uses them.

Python and Django start once for all commands of the month: each command is a fork of a process that
has imported them, and shares nothing else with the last command.
"""

from __future__ import annotations

import http.client
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.filling import run
from benchmarks.models import ROOT
from benchmarks.month.crimes import Case
from tests.servers import Batcomputer

_CLIENTS = 4  # simultaneous connections
_FOLLOWED = 2.5  # seconds: workers follow a decision within two, and a day takes about as long
# Reads one command per line; its output goes to two files, its status to standard output.
_COMMANDS = """
import json, os, sys
import django
from django.core.checks import run_checks
from django.core.management import execute_from_command_line, load_command_class

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "batcomputer.settings")
django.setup()
for name in ("activate_model", "try_model", "watch_models"):
    load_command_class("predictor", name)
run_checks()  # every command does, and only then imports what the addresses lead to
for line in sys.stdin:
    command, files = json.loads(line)
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    execute_from_command_line(["manage.py", *command])
    sys.exit()
"""
_ON_RECORD = """
import json
from predictor.models import Activation, Alarm, Outcome, Prediction, Trial

def rows(model, *fields):
    return list(model.objects.order_by("id").values("version", *fields))

print(json.dumps({
    "answers": Prediction.objects.count(),
    "outcomes": Outcome.objects.count(),
    "activations": rows(Activation, "kind", "by"),
    "trials": rows(Trial, "ended_by"),
    "alarms": rows(Alarm, "kind"),
}))
"""


@dataclass(frozen=True)
class Question:
    """A case, its caller, and whether the outcome is reported."""

    case: Case
    caller: str
    is_reported: bool


@dataclass(frozen=True)
class Answer:
    """A caller's answer."""

    question: Question
    identity: str
    version: str


class Service:
    """The server of the month, used only through HTTP and commands."""

    def __init__(self, server: Batcomputer, commands: subprocess.Popen[str]) -> None:
        self._server = server
        self._commands = commands
        self._files = [server.log.with_name(f"said-{way}") for way in ("out", "err")]

    def decide(self, *command: str) -> None:
        """Run a command, and wait until every worker has followed."""
        self._run(*command)
        time.sleep(_FOLLOWED)

    def watch(self) -> str:
        """The output of ``watch_models``."""
        return self._run("watch_models", may_end_with=(0, 3))  # 3: a person must look

    def _run(self, *command: str, may_end_with: Sequence[int] = (0,)) -> str:
        """The output of a command. Raises RuntimeError for another exit status."""
        assert self._commands.stdin and self._commands.stdout  # noqa: S101,PT018 - both are pipes
        self._commands.stdin.write(json.dumps([command, list(map(str, self._files))]) + "\n")
        self._commands.stdin.flush()
        status = int(self._commands.stdout.readline() or -1)
        said, wrong = (file.read_text() for file in self._files)
        if status not in may_end_with:
            raise RuntimeError(said + wrong)
        return said.strip()

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Send all questions over a few connections at once, and report their outcomes."""
        shares = [questions[at::_CLIENTS] for at in range(_CLIENTS)]
        with ThreadPoolExecutor(_CLIENTS) as clients:
            answers = list(itertools.chain(*clients.map(self._ask, shares)))
        self._report(answers)
        return answers

    def on_record(self) -> dict[str, Any]:
        """The content of the database at the end."""
        return dict(json.loads(run(self._server.env, _ON_RECORD)))

    def _ask(self, questions: Sequence[Question]) -> list[Answer]:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)
        answers = []
        for question in questions:
            headers = {"X-Reference": question.caller}
            got, _ = _post(connection, "/api/predict", question.case.item, headers)
            answers.append(Answer(question, got["X-Prediction-Id"], got["X-Model-Version"]))
        connection.close()
        return answers

    def _report(self, answers: Sequence[Answer]) -> None:
        reports = [
            {"id": answer.identity, "outcome": answer.question.case.truth}
            for answer in answers
            if answer.question.is_reported
        ]
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)
        _, results = _post(connection, "/api/predictions/outcomes", reports, {})
        connection.close()
        if refused := [one for one in results if one["result"] != "accepted"]:
            raise RuntimeError(f"{len(refused)} outcomes were not recorded, such as {refused[0]}")


@contextmanager
def service_of(server: Batcomputer) -> Iterator[Service]:
    """The service of a server, with the process that runs its commands."""
    commands = subprocess.Popen(
        [sys.executable, "-c", _COMMANDS], cwd=ROOT, env=server.env,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with commands:  # the process ends with its input
        yield Service(server, commands)


def _post(
    connection: http.client.HTTPConnection, path: str, body: object, headers: dict[str, str]
) -> tuple[http.client.HTTPMessage, Any]:
    headers = {"Content-Type": "application/json", **headers}
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}: {content[:300]!r}")
    return answer.headers, json.loads(content)
