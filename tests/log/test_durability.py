"""An answered prediction is on record, whichever process dies."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest

from predictor.concurrency import SILENCE
from tests import bundles
from tests.deadlines import eventually
from tests.lengths import length
from tests.load import load
from tests.servers import batcomputer, manage, postgres

pytestmark = pytest.mark.slow
KILLS = length(10, 30)
EVERY_FIFTH_TIME = 5  # the whole service is killed, else one worker


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request, tmp_path):
    with database_settings(request.param) as settings, service(tmp_path, **settings) as server:
        yield server


@contextmanager
def database_settings(name):
    if name == "sqlite":
        yield {}
        return
    with postgres() as database:
        yield {"DATABASE_URL": database.url}


@contextmanager
def service(folder, **settings):
    bundles.install(folder / "models")
    with batcomputer(folder, folder / "models", **settings) as server:
        yield server


def logged(server):
    """The ids on record, as the database has them."""
    script = (
        "from predictor.models import Prediction\n"
        "for i in Prediction.objects.values_list('id', flat=True): print(i)"
    )
    return manage(server.env, "shell", "--no-imports", "-c", script).split()


def assert_all_on_record(server, answered):
    on_record = logged(server)
    assert not set(answered) - set(on_record)
    assert len(on_record) == len(set(on_record))
    assert len(answered) == len(set(answered))


def spooled(folder):
    """Files that wait for the database, or for a person; without the workers' notes of versions."""
    return [p for p in (folder / "spool").glob("*") if not p.name.startswith("answers-")]


def wait_for_answers(running, count=50):
    reached = len(running.answered) + count
    eventually(lambda: len(running.answered) >= reached, seconds=60)


def test_it_survives_random_kills(server):
    chance = random.Random(6)
    with load(server.port) as running:
        for kill in range(1, KILLS + 1):
            wait_for_answers(running, chance.randint(1, 60))
            if kill % EVERY_FIFTH_TIME == 0:
                server.kill()
                server.start()
            else:
                os.kill(chance.choice(server.workers()), signal.SIGKILL)
    assert running.refused == []
    assert_all_on_record(server, running.answered)


OLD_ROWS = """
from predictor.log.writer.store import connect_store
from tests.log.entries import many
connect_store().insert([row for row in many(12_000, days=400) if row[1] < "LIMIT"], None)
"""


def test_it_survives_being_pruned_and_replayed_by_hand(server):
    limit = datetime.now(UTC) - timedelta(days=100)
    script = OLD_ROWS.replace("LIMIT", f"{limit:%Y-%m-%d}")
    manage(server.env, "shell", "--no-imports", "-c", script)
    with load(server.port) as running:
        wait_for_answers(running)
        pruned = manage(server.env, "prune_predictions", "--older-than", "90d")
        assert int(pruned.split()[0].replace(",", "")) > 8_000
        assert manage(server.env, "replay_spool").startswith("0 predictions written")
        wait_for_answers(running)
    assert running.refused == []
    assert_all_on_record(server, running.answered)
    assert len(logged(server)) == len(running.answered)


def test_it_survives_a_database_that_stops(tmp_path):
    with (
        postgres() as database,
        service(tmp_path, DATABASE_URL=database.url) as server,
        load(server.port) as running,
    ):
        wait_for_answers(running)
        database.stop()
        time.sleep(SILENCE + 1)
        wait_for_answers(running)
        database.start()
        wait_for_answers(running)
        running.end()
        eventually(lambda: not spooled(tmp_path))
        assert running.refused == []
        assert_all_on_record(server, running.answered)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 megabytes: the log itself is not to fill it, and a function that fills it."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    disk = tmp_path / "small"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], check=False
    )
    if mounted.returncode != 0:
        pytest.skip("nothing may be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk):
    with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"0" * 4096)


def test_it_survives_a_full_disk(tmp_path, small_disk):
    settings = {"DATABASE_URL": f"sqlite:///{small_disk}/log.sqlite3"}
    with service(tmp_path, **settings) as server, load(server.port) as running:
        wait_for_answers(running)
        fill(small_disk)
        eventually(lambda: spooled(tmp_path), seconds=30)
        wait_for_answers(running)
        (small_disk / "filler").unlink()
        eventually(lambda: not spooled(tmp_path))
        wait_for_answers(running)
        running.end()
        eventually(lambda: not spooled(tmp_path))
        assert running.refused == []
        assert_all_on_record(server, running.answered)


def test_it_rejects_when_the_spool_is_full_too(tmp_path, small_disk):
    settings = {
        "DATABASE_URL": f"sqlite:///{small_disk}/log.sqlite3",
        "SPOOL_DIR": str(small_disk / "spool"),
    }
    with service(tmp_path, **settings) as server, load(server.port) as running:
        wait_for_answers(running)
        fill(small_disk)
        eventually(lambda: running.refused, seconds=30)
        (small_disk / "filler").unlink()
        wait_for_answers(running)
        running.end()
        status, body = running.refused[0]
        assert status == 503
        assert json.loads(body)["title"] == "Not available now"
        eventually(lambda: not spooled(small_disk))
        assert_all_on_record(server, running.answered)


def test_it_survives_a_locked_database(tmp_path):
    with service(tmp_path) as server, load(server.port) as running:
        wait_for_answers(running)
        with closing(
            sqlite3.connect(tmp_path / "batcomputer.sqlite3", isolation_level=None)
        ) as locker:
            locker.execute("BEGIN IMMEDIATE")
            wait_for_answers(running)
            assert spooled(tmp_path)
        eventually(lambda: not spooled(tmp_path))
        wait_for_answers(running)
        running.end()
        eventually(lambda: not spooled(tmp_path))
        assert running.refused == []
        assert_all_on_record(server, running.answered)


def test_a_restarted_service_writes_what_dead_workers_left(tmp_path):
    with postgres() as database, service(tmp_path, DATABASE_URL=database.url) as server:
        with load(server.port) as running:
            wait_for_answers(running)
            database.stop()
            wait_for_answers(running)
        server.kill()
        assert spooled(tmp_path)
        database.start()
        server.start()
        eventually(lambda: not spooled(tmp_path))
        assert_all_on_record(server, running.answered)
