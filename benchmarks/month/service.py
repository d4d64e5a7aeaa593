"""A real server and its command line, as a day of the month meets them."""

from __future__ import annotations

import http.client
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from benchmarks.filling import run
from benchmarks.models import ROOT
from benchmarks.month.crimes import Case
from tests.servers import Batcomputer, manage

_CLIENTS = 4  # connections that ask at the same time
_FOLLOWED = 2.5  # seconds: workers follow a decision within two, and a day lasts about as long
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
    """A case, who asks it, and whether what came true is reported."""

    case: Case
    caller: str
    is_reported: bool


@dataclass(frozen=True)
class Answer:
    """What a caller got."""

    question: Question
    identity: str
    version: str


class Service:
    """The server under the month, by its addresses and commands alone."""

    def __init__(self, server: Batcomputer) -> None:
        self._server = server

    def decide(self, *command: str) -> None:
        """Run a command, and wait until every worker has followed."""
        manage(self._server.env, *command)
        time.sleep(_FOLLOWED)

    def watch(self) -> str:
        """What ``watch_models`` says. Raises RuntimeError where it could not look."""
        done = subprocess.run(
            [sys.executable, "manage.py", "watch_models"], cwd=ROOT, env=self._server.env,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, 3):  # 3: a person is to look
            raise RuntimeError(done.stdout + done.stderr)
        return done.stdout.strip()

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Ask them all, over a few connections at once, and report what is to be reported."""
        shares = [questions[at::_CLIENTS] for at in range(_CLIENTS)]
        with ThreadPoolExecutor(_CLIENTS) as clients:
            answers = list(itertools.chain(*clients.map(self._ask, shares)))
        self._report(answers)
        return answers

    def on_record(self) -> dict[str, Any]:
        """What the database holds at the end."""
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
