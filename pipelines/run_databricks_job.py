"""Run a Databricks job and wait for it: ``python -m pipelines.run_databricks_job JOB``.

Fails with the run's message. A JSON object that a notebook passes to ``dbutils.notebook.exit``
becomes output variables of the pipeline's step. If the pipeline is cancelled, or the run takes too
long, this program cancels the run. Since the agent may kill it without a signal, the run's number
is in the variable ``databricksRun`` for a step that cancels it (``--cancel``).

databricks-sdk reads the workspace and the credentials from the environment (DATABRICKS_HOST, and
ARM_CLIENT_ID and the like or a login of ``az``).
"""

import argparse
import json
import re
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any, NoReturn

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import InternalError, TemporarilyUnavailable
from databricks.sdk.service.jobs import Run, RunLifecycleStateV2State, RunTask

POLL_SECONDS = 15.0
_VARIABLE = re.compile(r"[A-Za-z_]\w*")


class RunFailed(Exception):
    """The job could not be run, or its run did not succeed."""


class Cancelled(BaseException):
    """The agent is stopping the pipeline's step."""


def main(arguments: list[str] | None = None) -> int:
    """Run the job that the command line names; returns 0 if it succeeded, else 1."""
    options = _options().parse_args(arguments)
    signal.signal(signal.SIGTERM, _cancelled)
    try:
        client = WorkspaceClient()
        if options.cancel:
            client.jobs.cancel_run(options.cancel)
        else:
            _run(client, options)
    except (Cancelled, KeyboardInterrupt):
        return _failed("cancelled with the pipeline")
    # ValueError: there is no login; OSError: the workspace cannot be reached
    except (RunFailed, DatabricksError, ValueError, OSError) as error:
        return _failed(str(error))
    return 0


def _run(client: WorkspaceClient, options: argparse.Namespace) -> None:
    """Run the job to its end, and print its results. Raises RunFailed if it did not succeed."""
    job = find_job(client, options.job)
    token = options.idempotency_token or None
    parameters = dict(options.parameter)
    started = client.jobs.run_now(job, job_parameters=parameters, idempotency_token=token)
    print(f"##vso[task.setvariable variable=databricksRun]{started.run_id}", flush=True)
    run = wait(client, int(started.run_id), options.timeout * 60, options.poll)
    if (code := _termination(run)[0]) != "SUCCESS":
        raise RunFailed(f"run {run.run_id} ended as {code}: {'; '.join(messages(client, run))}")
    for name, value in results(client, run):
        print(f"{name} = {value}")
        print(f"##vso[task.setvariable variable={name};isOutput=true]{value}")


def _failed(reason: str) -> int:
    print(f"##vso[task.logissue type=error]{_one_line(reason)}")
    print(_harmless(reason), file=sys.stderr)
    return 1


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.run_databricks_job", description=__doc__
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("job", nargs="?", help="the job's name, or its number")
    what.add_argument("--cancel", type=int, metavar="RUN", help="cancel this run instead")
    parser.add_argument(
        "--parameter", type=_parameter, action="append", default=[], metavar="NAME=VALUE"
    )
    parser.add_argument("--timeout", type=float, default=120, metavar="MINUTES")
    parser.add_argument(
        "--idempotency-token", metavar="TEXT", help="a second call with it finds the first's run"
    )
    parser.add_argument("--poll", type=float, default=POLL_SECONDS, help=argparse.SUPPRESS)
    return parser


def _parameter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def find_job(client: WorkspaceClient, job: str) -> int:
    """The id of the job called ``job``. Raises RunFailed unless there is exactly one."""
    if job.isdecimal():
        return int(job)
    found = [int(each.job_id) for each in client.jobs.list(name=job) if each.job_id]
    if len(found) != 1:
        raise RunFailed(f"{len(found)} jobs are called {job!r} in {client.config.host}; need one")
    return found[0]


def wait(client: WorkspaceClient, run_id: int, seconds: float, poll: float) -> Run:
    """Wait for the run's end; prints its states, and cancels it if it takes too long."""
    deadline = time.monotonic() + seconds
    printed: Any = None
    try:
        while True:
            run = _seen(client, run_id)
            state = run.status.state if run and run.status else None
            if run and state != printed:
                print(f"{state.value if state else 'unknown'}  {run.run_page_url}", flush=True)
                printed = state
            if run and state is RunLifecycleStateV2State.TERMINATED:
                return run
            if time.monotonic() > deadline:
                client.jobs.cancel_run(run_id)
                raise RunFailed(f"run {run_id} took over {seconds / 60:g} minutes: cancelled")
            time.sleep(poll)
    except (Cancelled, KeyboardInterrupt):
        client.jobs.cancel_run(run_id)
        raise RunFailed(f"run {run_id} cancelled with the pipeline") from None


def _seen(client: WorkspaceClient, run_id: int) -> Run | None:
    """The present state of the run; None if the workspace is unavailable for the moment.

    The SDK retries for five minutes, but a run of hours may outlast a longer outage.
    """
    try:
        return client.jobs.get_run(run_id)
    except (InternalError, TemporarilyUnavailable, OSError) as error:
        print(f"no answer, asking again: {_one_line(str(error))}", flush=True)
        return None


def _cancelled(signum: int, frame: Any) -> NoReturn:
    raise Cancelled


def _termination(run: Run | RunTask) -> tuple[str, str]:
    """(code, message) of the run's end."""
    details = run.status.termination_details if run.status else None
    if details is None:
        return "UNKNOWN", ""
    return details.code.value if details.code else "UNKNOWN", details.message or ""


def messages(client: WorkspaceClient, run: Run) -> list[str]:
    """The messages of the failed tasks; if there are none, that of the run."""
    said = []
    for task in _last_attempts(run):
        code, message = _termination(task)
        if code in ("SUCCESS", "UNKNOWN") or not task.run_id:
            continue
        said.append(f"{task.task_key}: {_error(client, task.run_id) or message or code}")
    return said or [_termination(run)[1] or "no reason given"]


def _error(client: WorkspaceClient, run_id: int) -> str:
    """The error with which a task's program ended, if known; its trace goes to the log."""
    try:
        output = client.jobs.get_run_output(run_id)
    except DatabricksError:
        return ""
    if output.error_trace:
        print(_harmless(output.error_trace), file=sys.stderr)
    return output.error or ""


def results(client: WorkspaceClient, run: Run) -> Iterator[tuple[str, str]]:
    """(name, value) of the JSON objects that the run's notebooks returned."""
    for task in _last_attempts(run):
        if task.notebook_task is None or not task.run_id:
            continue
        output = client.jobs.get_run_output(task.run_id).notebook_output
        for name, value in _object(output.result if output else None).items():
            if _VARIABLE.fullmatch(name) and isinstance(value, str | int | float):
                yield name, _one_line(str(value))


def _object(text: str | None) -> dict[str, Any]:
    """Parse ``text`` as a JSON object; empty if it is not one."""
    try:
        value = json.loads(text or "")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _last_attempts(run: Run) -> list[RunTask]:
    """One entry per task, of its last attempt."""
    return list({task.task_key: task for task in run.tasks or []}.values())


def _harmless(text: str) -> str:
    """Disarm commands in outside text: the agent obeys them anywhere in a line."""
    return re.sub(r"##(?=\w*\[)", "# #", text)


def _one_line(text: str) -> str:
    return " ".join(_harmless(text).split())


if __name__ == "__main__":
    sys.exit(main())
