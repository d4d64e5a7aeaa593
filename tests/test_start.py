"""``scripts/run`` in a fresh clone: its output, and that its child processes end with it."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests import wire
from tests.clones import clone
from tests.deadlines import eventually
from tests.servers import ROOT, free_port, stop, wait_until_ready

pytestmark = pytest.mark.slow

# Characters that could break a shell, a URL or Python's path.
FOLDER = "Bät Höhle + 100% #1"


@pytest.fixture
def fresh(tmp_path):
    """A clone in which nothing is installed yet."""
    return clone(tmp_path / FOLDER)


@pytest.fixture
def installed(fresh):
    """A clone that uses the packages installed here."""
    (fresh / ".venv/bin").mkdir(parents=True)
    shutil.copy(ROOT / "requirements.txt", fresh / ".venv/installed-requirements")
    python = fresh / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return fresh


def start(folder, **settings):
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "PORT": str(free_port()), **settings}
    with (folder / "out.log").open("wb") as log:
        return subprocess.Popen(
            [folder / "scripts/run"],
            cwd="/", env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip


def test_it_works_from_nothing(fresh):
    """Everything is installed and trained, in a folder with a name like that."""
    port = free_port()
    log = fresh / "out.log"
    process = start(fresh, PORT=str(port), UV_CACHE_DIR=cache())
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/readyz", process, log, seconds=900)
        body = b'{"force": "Kent Police", "crime": "Burglary", "month": 10}'
        assert wire.ask(port, wire.request(body=body)).status == 200
    finally:
        stop(process)
    banner, after = log.read_text().split("Stop with Ctrl+C.", 1)
    assert f"http://127.0.0.1:{port}/" in banner
    assert "==>" not in after, "nothing of the preparation is said after the banner"
    assert (fresh / "batcomputer.sqlite3").exists()
    eventually(lambda: not working_in(fresh))


def cache():
    done = subprocess.run(
        [sys.executable, "-m", "uv", "cache", "dir"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def working_in(folder):
    """Processes whose current folder is in ``folder``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "cmdline").read_text())
    return found


def test_a_taken_port_is_said_before_any_work(fresh):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert start(fresh, PORT=str(port)).wait(60) == 1
    said = (fresh / "out.log").read_text()
    assert said.startswith(f"error: port {port} of 127.0.0.1 is in use by another program")
    assert len(said.splitlines()) == 1
    assert not (fresh / ".venv").exists()


def test_a_port_in_the_settings_file_is_the_one_that_counts(installed):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (installed / ".env").write_text(f"PORT={port}\n")
        env = {"PATH": os.environ["PATH"], "HOME": str(installed)}
        done = subprocess.run(
            [installed / "scripts/run"],
            cwd="/", env=env, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: port {port} of 127.0.0.1 is in use")
    assert not (installed / "models").exists()


# What takes the place of a program: says who it is, and works for longer than the test.
SLEEPER = """
import os, pathlib, time
draft = pathlib.Path("{0}.draft")
draft.write_text(str(os.getpid()))
draft.rename("{0}.pid")
time.sleep(600)
"""
TRAINING, PREPARING = "training/crime.py", "batcomputer/commands/preparation.py"


def sleeps(folder, program):
    name = Path(program).stem
    (folder / program).write_text(SLEEPER.format(name))
    return folder / f"{name}.pid"


def is_alive(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def stopped_by_ctrl_c(process):
    os.killpg(process.pid, signal.SIGINT)


STOPS = [subprocess.Popen.terminate, subprocess.Popen.kill, stopped_by_ctrl_c]


@pytest.mark.parametrize("end", STOPS, ids=["SIGTERM", "SIGKILL", "Ctrl+C"])
def test_a_stop_in_training_leaves_nothing_behind(installed, end):
    pid = sleeps(installed, TRAINING)
    check_end(installed, [pid], end)


@pytest.mark.parametrize("end", STOPS, ids=["SIGTERM", "SIGKILL", "Ctrl+C"])
def test_a_stop_while_two_programs_work_leaves_nothing_behind(installed, end):
    """The third model is trained while the server runs, and the server prepares itself."""
    for model in ("crime", "titanic"):
        (installed / "models" / model).mkdir(parents=True)
    check_end(installed, [sleeps(installed, TRAINING), sleeps(installed, PREPARING)], end)


def check_end(folder, working, end):
    process = start(folder)
    eventually(lambda: all(file.exists() for file in working), seconds=60)
    pids = [int(file.read_text()) for file in working]
    assert all(map(is_alive, pids))
    end(process)
    assert process.wait(20) != 0
    eventually(lambda: not any(map(is_alive, pids)), seconds=20)
    eventually(lambda: not working_in(folder), seconds=20)


def test_a_start_that_fails_leaves_nothing_behind(installed):
    for model in ("crime", "titanic"):
        (installed / "models" / model).mkdir(parents=True)
    beside = sleeps(installed, TRAINING)
    waits = "import pathlib, time\nwhile not pathlib.Path('crime.pid').exists(): time.sleep(0.1)\n"
    (installed / PREPARING).write_text(waits + "raise SystemExit('error: the disk is full')\n")
    assert start(installed).wait(60) == 1
    assert "error: the disk is full" in (installed / "out.log").read_text()
    pid = int(beside.read_text())
    eventually(lambda: not is_alive(pid), seconds=20)


# Trains for a second, and notes it; a second one at the same time would find its draft.
TRAINER = """
import pathlib, sys, time
name = "crime-outcomes" if "--outcomes" in sys.argv else "{0}"
draft = pathlib.Path(name + ".draft")
draft.mkdir()
time.sleep(1)
(pathlib.Path("models") / name).mkdir(parents=True)
draft.rename(name + ".trained")
"""


def test_two_starts_prepare_a_clone_once(installed):
    for name in ("crime", "titanic"):
        (installed / f"training/{name}.py").write_text(TRAINER.format(name))
    (installed / PREPARING).write_text("raise SystemExit('error: prepared enough')")
    first, second = start(installed), start(installed)
    assert (first.wait(60), second.wait(60)) == (1, 1)
    eventually(lambda: not working_in(installed), seconds=20)
    said = (installed / "out.log").read_text()
    assert "Traceback" not in said
    assert {path.name for path in installed.glob("*.trained")} >= {
        "crime.trained",
        "titanic.trained",
    }
    assert not {path.stem for path in installed.glob("*.draft")} - {"crime-outcomes"}


def test_a_start_that_waits_for_another_ends_with_its_shell(installed):
    for model in ("crime", "titanic", "crime-outcomes"):
        (installed / "models" / model).mkdir(parents=True)
    with (installed / ".preparing").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        process = start(installed)
        eventually(lambda: "waiting for another start" in (installed / "out.log").read_text())
        process.kill()
        process.wait()
        eventually(lambda: not working_in(installed), seconds=20)
