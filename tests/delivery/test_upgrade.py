"""The last release and this one on one PostgreSQL, under load, forwards and back."""

import subprocess
import sys
from contextlib import contextmanager

import psycopg
import pytest

from tests import bundles
from tests.deadlines import eventually
from tests.load import load
from tests.servers import ROOT, free_port, postgres, server_env, stop, wait_until_ready

pytestmark = pytest.mark.slow
LAST_RELEASE = "4db982b"  # the commit of the last release; move it with each
PHASE = 150  # answers of each server in each phase, at least


@pytest.fixture(scope="module")
def last_release(tmp_path_factory):
    """The last release's code, as git has it."""
    folder = tmp_path_factory.mktemp("release") / "code"
    known = subprocess.run(
        ["git", "cat-file", "-e", f"{LAST_RELEASE}^{{commit}}"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if known.returncode:
        pytest.skip(f"this clone has no commit {LAST_RELEASE} (git fetch --unshallow gets it)")
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", LAST_RELEASE], cwd=ROOT, capture_output=True, check=True
    )
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


def test_both_serve_one_database_while_it_is_upgraded_and_after(last_release, tmp_path):
    models = tmp_path / "models"
    bundles.install(models)
    with postgres() as database:
        env = server_env(tmp_path, models, DATABASE_URL=database.url, WEB_CONCURRENCY="1")
        for code in (last_release, ROOT):
            manage(code, env, "collectstatic", "--no-input", "--verbosity", "0")
        manage(last_release, env, "migrate", "--no-input")
        with serving(last_release, env, tmp_path / "old") as old, load(old, clients=4) as before:
            ask(before)
            manage(ROOT, env, "migrate", "--no-input")  # under the old server's load
            ask(before)
            with serving(ROOT, env, tmp_path / "new") as new, load(new, clients=4) as after:
                ask(after)
                ask(before)  # both at once, as while pods are replaced
        with serving(ROOT, env, tmp_path / "new") as new, load(new, clients=4) as alone:
            ask(alone)
        with serving(last_release, env, tmp_path / "old") as old, load(old, clients=4) as back:
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
