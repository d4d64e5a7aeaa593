"""An earlier release and this one on one PostgreSQL, under load, forwards and back."""

import subprocess
import sys
from contextlib import contextmanager

import psycopg
import pytest

from tests import bundles
from tests.deadlines import eventually
from tests.load import load
from tests.servers import (
    ROOT,
    collect_static_files,
    free_port,
    postgres,
    server_env,
    stop,
    wait_until_ready,
)

pytestmark = pytest.mark.slow
# the commits of the first build, which made the oldest databases, and of the last release
RELEASES = {"first": "4db982b", "last": "58fa4b5"}
PHASE = 150  # answers of each server in each phase, at least


@pytest.fixture(params=RELEASES)
def release(request, tmp_path):
    """The release's code, as git has it."""
    commit, folder = RELEASES[request.param], tmp_path / "code"
    known = subprocess.run(
        ["git", "cat-file", "-e", f"{commit}^{{commit}}"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if known.returncode:
        pytest.skip(f"this clone has no commit {commit} (git fetch --unshallow gets it)")
    folder.mkdir()
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder


def manage(code, env, *words):
    done = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=code, env=env,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def serving(code, env, folder):
    """Start a server with that code on a free port; returns the port once it is ready."""
    env = {**env, "PORT": str(free_port()), "SPOOL_DIR": str(folder / "spool")}
    folder.mkdir(exist_ok=True)
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "batcomputer.wsgi"],
            cwd=code, env=env, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        wait_until_ready(f"http://127.0.0.1:{env['PORT']}/readyz", process, log)
        yield int(env["PORT"])
    finally:
        stop(process)


def ask(load, count=PHASE):
    """Wait until this load has that many more answers."""
    wanted = len(load.answered) + count
    eventually(lambda: len(load.answered) >= wanted, 60)


def test_both_serve_one_database_while_it_is_upgraded_and_after(release, tmp_path):
    models = tmp_path / "models"
    bundles.install(models)
    with postgres() as database:
        env = server_env(tmp_path, models, DATABASE_URL=database.url, WEB_CONCURRENCY="1")
        manage(release, env, "collectstatic", "--no-input", "--verbosity", "0")
        collect_static_files()
        manage(release, env, "migrate", "--no-input")
        with serving(release, env, tmp_path / "old") as old, load(old, clients=4) as before:
            ask(before)
            manage(ROOT, env, "migrate", "--no-input")  # under the old server's load
            ask(before)
            with serving(ROOT, env, tmp_path / "new") as new, load(new, clients=4) as after:
                ask(after)
                ask(before)  # both at once, as while pods are replaced
        with serving(ROOT, env, tmp_path / "new") as new, load(new, clients=4) as alone:
            ask(alone)
        with serving(release, env, tmp_path / "old") as old, load(old, clients=4) as back:
            ask(back)  # rolled back: the newer tables stay
        answered = [one for each in (before, after, alone, back) for one in each.answered]
        failed = [one for each in (before, after, alone, back) for one in each.refused]
        with psycopg.connect(database.url) as connection:
            rows = connection.execute("SELECT id::text FROM predictor_prediction").fetchall()
        on_record = {row[0] for row in rows}
    lost = set(answered) - on_record
    print(f"{len(answered):,} answered, {len(failed)} failed, {len(lost)} lost")
    assert not failed, failed[:3]
    assert not lost
    assert len(answered) == len(set(answered))
