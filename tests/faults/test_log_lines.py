"""A server's log: one stream, one JSON object per line, through every fault."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import bundles
from tests.servers import ROOT, Batcomputer, manage, server_env, stop
from tests.wire import ask, request

pytestmark = pytest.mark.slow

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@contextmanager
def two_streams(folder: Path, models: Path, **settings: str) -> Iterator[Batcomputer]:
    """A server whose standard output is ``log``, with its standard error in a file next to it."""
    env = server_env(folder, models, **settings)
    manage(env, "migrate", "--verbosity", "0")
    log = folder / "server.log"
    with log.open("wb") as output, (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "batcomputer.wsgi"],
            cwd=ROOT, env=env, stdout=output, stderr=errors, start_new_session=True,
        )  # fmt: skip
    try:
        yield Batcomputer(f"http://127.0.0.1:{env['PORT']}", process, env, log)
    finally:
        stop(process)


def wait_for(server, text, seconds=60):
    deadline = time.monotonic() + seconds
    while text not in server.log.read_text():
        assert time.monotonic() < deadline, server.log.read_text()
        assert server.process.poll() is None, "the server ended"
        time.sleep(0.05)


def processes_of(server, module):
    """Process ids of those of the server's session that run ``module``, however deep."""
    found, waiting = [], [server.process.pid]
    while waiting:
        pid = waiting.pop()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        waiting += map(int, children)
        if module in Path(f"/proc/{pid}/cmdline").read_text():
            found.append(pid)
    return found


def test_every_line_is_one_json_object(tmp_path):
    models = tmp_path / "models"
    bundles.install(models)
    (bundles.install(models, "bad") / "model.pkl").write_bytes(b"no pickle")
    settings = {"ACCESS_LOG": "true", "TABLE_CELLS": "0"}
    with two_streams(tmp_path, models, **settings) as server:
        wait_for(server, "arkham 1.0.0 answers")
        wait_for(server, "bad 1.0.0 cannot be served")
        traced = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        assert ask(server.port, request(**traced)).status == 200
        assert ask(server.port, request("/api/models/bad/predict")).status == 503
        assert ask(server.port, b"nonsense\r\n\r\n").status == 400
        template = min(processes_of(server, "predictor.scoring.template"))  # its forks come later
        os.kill(server.workers()[0], signal.SIGKILL)
        wait_for(server, "SIGKILL")
        os.kill(template, signal.SIGKILL)
        wait_for(server, "the template ended")
        os.kill(server.process.pid, signal.SIGHUP)
        wait_for(server, "Hang up")
        time.sleep(3)
    assert (tmp_path / "errors").read_text() == ""
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert all({"time", "level", "logger", "process", "message"} <= line.keys() for line in lines)
    assert not [line for line in lines if "exception" in line]
    assert {"gunicorn.error", "scoring", "predictor.serving.current"} <= {
        line["logger"] for line in lines
    }
    refusals = [line for line in lines if "bad 1.0.0 cannot be served" in line["message"]]
    assert len(refusals) == len({line["process"] for line in refusals})  # once per worker
    assert "Shutting down: Master" in lines[-1]["message"]
    (line,) = [line for line in lines if line.get("route") == "api/predict"]
    assert line["trace_id"] == TRACE
    assert line["status"] == 200


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PREDICTION_LOG", "sometimes", "PREDICTION_LOG is 'sometimes'"),
        ("HOST", "192.0.2.1", "cannot listen on port"),
        ("WEB_CONCURRENCY", "0", "WEB_CONCURRENCY is '0'; it must be a whole number of 1"),
        ("API_KEY_REQUIRED", "ture", "API_KEY_REQUIRED is 'ture'; it must be true or false"),
        ("PORT", "http", "'http' is not a valid port number"),
    ],
)
def test_a_wrong_setting_is_a_line_as_well(tmp_path, name, value, sentence):
    models = tmp_path / "models"
    bundles.install(models)
    env = server_env(tmp_path, models, **{name: value})
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "batcomputer.wsgi"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(sentence in line["message"] + line.get("exception", "") for line in lines)
    assert done.stderr == ""


UPKEEP = r"""
import warnings
from batcomputer import upkeep

def tasks(*_, **__):
    print("Subject: drift\n\na mail without EMAIL_URL")
    warnings.warn("this is old", FutureWarning)
    return {}["nothing"]

upkeep.call_command = tasks
upkeep.main()
"""


def test_what_upkeep_prints_are_lines_as_well(tmp_path):
    env = server_env(tmp_path, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", UPKEEP],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    said = " ".join(line["message"] + line.get("exception", "") for line in lines)
    for part in ("Subject: drift", "a mail without", "this is old", "KeyError"):
        assert part in said
    assert done.returncode == 1
