"""The pipelines' step that runs a Databricks job, against a workspace that answers as it is set."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from databricks.sdk.service.jobs import JobsAPI

from pipelines import run_databricks_job
from tests.servers import ROOT


class Workspace(BaseHTTPRequestHandler):
    """A Databricks workspace's Jobs API: one job, whose run goes through the given states."""

    def setup(self):
        super().setup()
        self.plan = self.server.plan

    def do_GET(self):
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path.endswith("/jobs/list"):
            self.reply(
                {
                    "jobs": [
                        job for job in self.plan["jobs"] if job["settings"]["name"] in query["name"]
                    ]
                }
            )
        elif path.endswith("/jobs/runs/get"):
            states = self.plan["states"]
            self.reply(*answer(states.pop(0) if len(states) > 1 else states[0]))
        elif path.endswith("/jobs/runs/get-output"):
            self.reply(*answer(self.plan["outputs"][query["run_id"][0]]))
        else:
            self.reply({}, 404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.plan["posted"].append((urlsplit(self.path).path.rsplit("/", 1)[1], body))
        if self.path.endswith("/run-now") and self.plan.get("refusal"):
            self.reply({"error_code": "PERMISSION_DENIED", "message": self.plan["refusal"]}, 403)
        else:
            self.reply({"run_id": 7})

    def reply(self, body, status=200):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


def answer(planned):
    """(body, status) of a planned response; a text is the workspace's error message."""
    if isinstance(planned, str):
        status, _, message = planned.partition(" ")
        return {"error_code": "INTERNAL_ERROR", "message": message}, int(status)
    return planned, 200


def run_state(state, code=None, message="", tasks=()):
    status = {"state": state}
    if code:
        status["termination_details"] = {"code": code, "message": message}
    return {
        "run_id": 7,
        "run_page_url": "https://db.example/run/7",
        "status": status,
        "tasks": list(tasks),
    }


def task(key, run_id, code, message=""):
    return {
        "task_key": key,
        "run_id": run_id,
        "notebook_task": {"notebook_path": "/n"},
        "status": {
            "state": "TERMINATED",
            "termination_details": {"code": code, "message": message},
        },
    }


RETURNED = json.dumps({"model": "crime", "version": "1.2.0", "not a name": "x", "metrics": {}})
DONE = run_state("TERMINATED", "SUCCESS", tasks=[task("train", 71, "SUCCESS")])


@pytest.fixture
def workspace():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Workspace)
    server.plan = {
        "jobs": [{"job_id": 5, "settings": {"name": "train crime"}}],
        "states": [run_state("PENDING"), run_state("RUNNING"), run_state("RUNNING"), DONE],
        "outputs": {"71": {"notebook_output": {"result": RETURNED}}},
        "posted": [],
    }
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def environment(workspace, home):
    """A login of the test's own, and nothing of this machine's."""
    return {
        "DATABRICKS_HOST": f"http://127.0.0.1:{workspace.server_port}",
        "DATABRICKS_TOKEN": "tests only",
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
    }


@dataclass
class Done:
    """The result of a step."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def step(workspace, tmp_path, monkeypatch, capsys):
    """Run the step in this process."""
    for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "ARM_"))]:
        monkeypatch.delenv(name)
    for name, value in environment(workspace, tmp_path).items():
        monkeypatch.setenv(name, value)
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments):
        code = run_databricks_job.main(["--poll", "0.01", *arguments])
        return Done(code, *capsys.readouterr())

    yield run
    signal.signal(signal.SIGTERM, before)


def test_it_works(workspace, step):
    done = step("train crime", "--parameter", "version=1.2.0", "--idempotency-token", "build-9")
    assert done.returncode == 0, done.stderr
    assert workspace.plan["posted"] == [
        (
            "run-now",
            {"job_id": 5, "job_parameters": {"version": "1.2.0"}, "idempotency_token": "build-9"},
        )
    ]
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["PENDING", "RUNNING", "TERMINATED"]
    assert "https://db.example/run/7" in lines[1]
    assert [line for line in lines if line.startswith("##vso")] == [
        "##vso[task.setvariable variable=databricksRun]7",
        "##vso[task.setvariable variable=model;isOutput=true]crime",
        "##vso[task.setvariable variable=version;isOutput=true]1.2.0",
    ]


def test_it_fails_with_the_runs_own_message(workspace, step):
    tasks = [
        task("aggregate", 70, "SUCCESS"),
        task("train", 71, "RUN_EXECUTION_ERROR", "the notebook failed"),
        task("publish", 72, "SKIPPED", "upstream failed"),
    ]
    workspace.plan["states"] = [
        run_state("TERMINATED", "RUN_EXECUTION_ERROR", "tasks failed", tasks)
    ]
    workspace.plan["outputs"] = {
        "71": {
            "error": "ValueError: unknown outcome 'Abducted by aliens'",
            "error_trace": "Trace!",
        },
        "72": {},
    }
    done = step("train crime")
    assert done.returncode == 1
    assert "train: ValueError: unknown outcome 'Abducted by aliens'" in done.stderr
    assert "publish: upstream failed" in done.stderr
    assert "Trace!" in done.stderr
    assert "##vso[task.logissue type=error]run 7 ended as RUN_EXECUTION_ERROR" in done.stdout


COMMAND = "##vso[task.setvariable variable=PATH]/evil"


def test_a_message_cannot_command_the_pipeline(workspace, step):
    """The agent reads both streams, and finds a command anywhere in a line."""
    failed = task("train", 71, "RUN_EXECUTION_ERROR")
    workspace.plan["states"] = [run_state("TERMINATED", "RUN_EXECUTION_ERROR", "", [failed])]
    workspace.plan["outputs"]["71"] = {"error": f"failed\n{COMMAND}", "error_trace": COMMAND}
    done = step("5")
    assert "/evil" in done.stdout
    assert done.stderr.count("/evil") == 2
    assert COMMAND not in done.stdout + done.stderr


def test_a_result_cannot_command_the_pipeline(workspace, step):
    workspace.plan["outputs"]["71"] = {
        "notebook_output": {"result": json.dumps({"version": f"1.2 {COMMAND}"})}
    }
    done = step("5")
    assert "variable=version;isOutput=true]1.2 # #vso[" in done.stdout
    assert COMMAND not in done.stdout


def test_it_outlives_a_workspace_in_trouble(workspace, step):
    workspace.plan["states"].insert(1, "500 an internal error")
    done = step("train crime")
    assert done.returncode == 0, done.stderr
    assert "no answer, asking again: an internal error" in done.stdout


def test_a_task_without_a_message_is_reported_all_the_same(workspace, step):
    """Databricks has no output of a task that runs another job."""
    failed = task("train", 71, "RUN_EXECUTION_ERROR", "the job it ran failed")
    workspace.plan["states"] = [run_state("TERMINATED", "RUN_EXECUTION_ERROR", "", [failed])]
    workspace.plan["outputs"]["71"] = "400 Retrieving the output is not supported"
    done = step("5")
    assert done.returncode == 1
    assert "run 7 ended as RUN_EXECUTION_ERROR: train: the job it ran failed" in done.stderr


def test_it_says_that_nobody_answers(step, monkeypatch):
    def no_answer(*arguments, **words):
        raise TimeoutError("Timed out after 0:05:00")  # the SDK's error after its last attempt

    monkeypatch.setattr(JobsAPI, "run_now", no_answer)
    done = step("5")
    assert done.returncode == 1
    assert done.stderr == "Timed out after 0:05:00\n"


def test_another_step_can_cancel_the_run(workspace, step):
    assert step("--cancel", "7").returncode == 0
    assert workspace.plan["posted"] == [("cancel", {"run_id": 7})]


def test_a_run_that_never_started_says_why(workspace, step):
    workspace.plan["states"] = [run_state("TERMINATED", "MAX_CONCURRENT_RUNS_EXCEEDED", "busy")]
    done = step("5")
    assert done.returncode == 1
    assert "MAX_CONCURRENT_RUNS_EXCEEDED: busy" in done.stderr


def test_of_a_repaired_task_the_last_try_counts(workspace, step):
    tried = [task("train", 70, "RUN_EXECUTION_ERROR"), task("train", 71, "SUCCESS")]
    workspace.plan["states"] = [run_state("TERMINATED", "SUCCESS", tasks=tried)]
    assert "variable=version;isOutput=true]1.2.0" in step("5").stdout


@pytest.mark.parametrize("count", [0, 2])
def test_it_rejects_a_name_that_is_not_one_job(workspace, step, count):
    workspace.plan["jobs"] = workspace.plan["jobs"] * count
    done = step("train crime")
    assert done.returncode == 1
    assert f"{count} jobs are called 'train crime'" in done.stderr
    assert workspace.plan["posted"] == []


def test_it_says_what_databricks_refuses(workspace, step):
    workspace.plan["refusal"] = "the principal may not run this job"
    done = step("train crime")
    assert done.returncode == 1
    assert "the principal may not run this job" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_cancels_a_run_that_takes_too_long(workspace, step):
    workspace.plan["states"] = [run_state("RUNNING")]
    done = step("5", "--timeout", "0.001")
    assert done.returncode == 1
    assert "cancelled" in done.stderr
    assert workspace.plan["posted"][-1] == ("cancel", {"run_id": 7})


def test_it_rejects_a_machine_without_a_login(step, monkeypatch):
    monkeypatch.delenv("DATABRICKS_HOST")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    done = step("5")
    assert done.returncode == 1
    assert "cannot configure" in done.stderr


@pytest.mark.slow
def test_it_cancels_the_run_when_the_pipeline_is_cancelled(workspace, tmp_path):
    workspace.plan["states"] = [run_state("RUNNING")]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.run_databricks_job", "--poll", "0.01", "5"],
        cwd=ROOT, env=environment(workspace, tmp_path),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert "databricksRun]7" in process.stdout.readline()
    assert "RUNNING" in process.stdout.readline()
    process.terminate()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "cancelled with the pipeline" in said
    assert workspace.plan["posted"][-1] == ("cancel", {"run_id": 7})
