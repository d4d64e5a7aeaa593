"""Backup and restore of the log, by the commands of docs/operations.md."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.servers import ROOT, manage, postgres, server_env

pytestmark = pytest.mark.slow

OPERATIONS = (ROOT / "docs/operations.md").read_text()
WRITE = """
from predictor.models import Prediction
Prediction.objects.create(
    id="0199c0de-0000-7000-8000-000000000000", time="2026-01-01T00:00Z", model="arkham",
    version="1.0.0", sha256="0", inputs={"villain": "Joker"}, scores={"escapes": 0.9},
    top_flag="escapes", duration=1, source="api",
)
"""
READ = "from predictor.models import Prediction; print(Prediction.objects.get().inputs['villain'])"


def shell(env, code):
    return manage(env, "shell", "--no-imports", "--command", code).strip()


def run(command, env):
    """A command of the documentation, as a reader pastes it."""
    command = command.replace(".venv/bin/python", shlex.quote(sys.executable))
    done = subprocess.run(
        ["sh", "-eu", "-c", command],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def filled(folder, **settings):
    """Environment of a database that holds one prediction."""
    env = server_env(folder, folder / "models", **settings)
    manage(env, "migrate", "--verbosity", "0")
    shell(env, WRITE)
    return env


def test_sqlite_is_copied_while_it_runs(tmp_path):
    env = filled(tmp_path)
    (command,) = re.findall(
        r"^### SQLite\n\n```sh run\n(.*?)^```", OPERATIONS, re.DOTALL | re.MULTILINE
    )
    run(command, env)
    (copy,) = tmp_path.glob("predictions-*.sqlite3")
    restored = {**env, "DATABASE_URL": f"sqlite:///{copy}"}
    assert shell(restored, READ) == "Joker"
    manage(restored, "migrate", "--check")


def test_postgresql_is_dumped_and_restored(tmp_path):
    dump, restore = re.findall(
        r"^\| PostgreSQL \| `([^`]+)`.* \| `([^`]+)` \|$", OPERATIONS, re.MULTILINE
    )[0]
    with postgres() as server:
        env = filled(tmp_path, DATABASE_URL=server.url)
        env["PATH"] = f"{server.programs}:{os.environ['PATH']}"
        here = f"cd {shlex.quote(str(tmp_path))}; "
        run(here + dump, env)
        run('createdb --maintenance-db "$DATABASE_URL" restored', env)
        restored = {**env, "DATABASE_URL": server.url.removesuffix("postgres") + "restored"}
        for _ in range(2):  # also over what is there already
            run(here + restore, restored)
            assert shell(restored, READ) == "Joker"
        manage(restored, "migrate", "--check")


def drill(env, *arguments):
    return subprocess.run(
        [ROOT / "scripts/restore-drill", *arguments],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_the_restore_drill_on_sqlite(tmp_path):
    done = drill(filled(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "1 predictions, newest 0199c0de" in done.stdout


def test_the_restore_drill_on_postgresql(tmp_path):
    with postgres() as server:
        env = filled(tmp_path, DATABASE_URL=server.url)
        env["PATH"] = f"{server.programs}:{os.environ['PATH']}"
        done = drill(env)
        assert done.returncode == 0, done.stderr
        assert "1 predictions, newest 0199c0de" in done.stdout
        names = "k.execute('SELECT datname FROM pg_database'); print(k.fetchall())"
        left = shell(env, f"from django.db import connection as c; k = c.cursor(); {names}")
        assert "restore_drill" not in left
        # what is restored into a database that something is in already is no restore
        done = drill(env, server.url)
        assert done.returncode == 1
        assert "The drill failed: pg_restore" in done.stderr
