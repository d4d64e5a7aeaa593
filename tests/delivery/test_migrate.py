"""Two deployments that migrate one database at once."""

import subprocess
import sys
import time

import psycopg
import pytest

from tests.servers import ROOT, manage, postgres, server_env

pytestmark = pytest.mark.slow
AT_ONCE = 4


@pytest.fixture(scope="module")
def database():
    with postgres() as server:
        yield server


@pytest.fixture
def env(database, tmp_path):
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return server_env(tmp_path, tmp_path / "models", DATABASE_URL=database.url)


def start(env):
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate", "--no-input"],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_each_waits_for_the_one_before(env):
    processes = [start(env) for _ in range(AT_ONCE)]
    said = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * AT_ONCE, said
    assert sum("Applying predictor.0001_initial" in text for text in said) == 1
    manage(env, "migrate", "--check")


def test_one_that_is_killed_holds_up_no_other(env, database):
    with psycopg.connect(database.url) as other:  # as another migration would
        other.execute("SELECT pg_advisory_xact_lock(%s)", [0x62617463])
        waits = start(env)
        try:
            assert any("Waiting for another migration" in line for line in waits.stdout)
            manage(env, "migrate", "--plan")  # only looks
        finally:
            waits.kill()
            waits.communicate()
    began = time.monotonic()
    manage(env, "migrate", "--no-input")
    assert time.monotonic() - began < 60
