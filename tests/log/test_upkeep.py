"""Periodic tasks run automatically, in one process at a time."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection

from benchmarks.processes import family
from predictor.log import upkeep
from predictor.log.writer.store import Store
from predictor.models import Prediction, Upkeep
from predictor.serving.loading import STORE
from tests import bundles
from tests.deadlines import eventually
from tests.log.entries import entry
from tests.servers import ROOT, batcomputer, manage, pgbouncer, postgres, server_env

DAY = timedelta(days=1)


@pytest.fixture
def log(db, arkham, monkeypatch):
    """Ten answers, one a day."""
    monkeypatch.setattr("predictor.log.writer.connect_store", lambda: Store(connection))
    now = datetime.now(UTC)
    Store(connection).insert([entry(now - DAY * age - DAY / 2) for age in range(10)], None)
    return now


def test_it_works(log, settings, capsys):
    settings.LOG_RETENTION = "4d"
    assert upkeep.is_due()
    call_command("upkeep")
    said = capsys.readouterr().out
    assert "Retention: 6 predictions deleted" in said
    assert "Drift: nothing has drifted" in said
    assert "Spool: 0 predictions written" in said
    assert Prediction.objects.count() == 4
    assert not upkeep.is_due()
    call_command("upkeep")
    assert capsys.readouterr().out == "Nothing is due\n"


def test_nothing_is_deleted_unless_an_age_is_set(log, capsys):
    call_command("upkeep")
    assert "Retention" not in capsys.readouterr().out
    assert Prediction.objects.count() == 10


def test_what_is_taken_is_left_alone_until_its_lease_ends(log, capsys):
    call_command("upkeep")
    now = datetime.now(UTC)
    taken = Upkeep.objects.filter(name="drift")
    taken.update(due=now - DAY, leased_until=now + DAY / 144)  # ten minutes
    assert not upkeep.is_due()
    taken.update(leased_until=now - DAY)
    assert upkeep.is_due()
    capsys.readouterr()
    call_command("upkeep")
    assert "Drift" in capsys.readouterr().out
    assert taken.get().leased_until is None


@pytest.mark.parametrize("field", ["due", "leased_until"])
def test_a_time_of_a_clock_that_was_wrong_delays_no_task(log, capsys, field):
    """A machine that starts in the year after next, and is set right by its network."""
    call_command("upkeep")
    assert not upkeep.is_due()
    now = datetime.now(UTC)
    Upkeep.objects.filter(name="watch").update(**{"due": now - DAY, field: now + 700 * DAY})
    assert upkeep.is_due()
    capsys.readouterr()
    call_command("upkeep")
    assert capsys.readouterr().out.startswith("Evidence: ")
    assert not upkeep.is_due()


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_short_and_renewed_while_the_task_works(monkeypatch):
    """The holder that was killed blocks its task for minutes; the one that works keeps it."""
    monkeypatch.setattr(upkeep, "_RENEWAL", 0.01)
    leases = []

    def work():
        mine = Upkeep.objects.filter(name="drift")
        leases.append(mine.get().leased_until)
        eventually(lambda: mine.get().leased_until > leases[0])
        return "done"

    monkeypatch.setattr(upkeep, "tasks", lambda: [upkeep.DRIFT])
    (row,) = upkeep.run_due({upkeep.DRIFT: work})
    assert (row.result, row.failed, row.leased_until) == ("done", False, None)
    assert timedelta(minutes=10) <= leases[0] - row.started < timedelta(minutes=20)


def test_a_failure_is_shown_and_tried_again_within_an_hour(log, settings, capsys, monkeypatch):
    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("predictor.management.commands.upkeep.replay_spool", full)
    call_command("upkeep")
    assert "Spool: failed: [Errno 28] No space left" in capsys.readouterr().out
    row = Upkeep.objects.get(title="Spool")
    assert row.failed
    assert row.due < datetime.now(UTC) + timedelta(hours=1)


def test_a_mistake_of_ours_is_shown_and_leaves_the_task_free(log, monkeypatch):
    monkeypatch.setattr("predictor.management.commands.upkeep.replay_spool", lambda: 1 / 0)
    call_command("upkeep")
    row = Upkeep.objects.get(title="Spool")
    assert row.failed
    assert "ZeroDivisionError" in row.result
    assert row.leased_until is None


def test_the_rows_of_machines_that_are_gone_are_forgotten(log):
    Upkeep.objects.create(name="replay on gone", title="Spool", due=datetime.now(UTC) - 8 * DAY)
    call_command("upkeep")
    assert not Upkeep.objects.filter(name="replay on gone").exists()


@pytest.mark.slow
def test_admin_shows_the_last_run_and_its_result(log, client):
    cache.clear()
    call_command("upkeep")
    client.force_login(User.objects.create_superuser("bruce"))
    shown = (
        client.get("/admin/").content.decode().split("<h2>Upkeep</h2>")[1].split("</section>")[0]
    )
    assert "nothing has drifted" in shown
    assert f"{datetime.now(UTC):%Y-%m-%d}" in shown


@pytest.mark.slow
@pytest.mark.parametrize("age", ["90", "soon", "-1d"])
def test_a_wrong_age_stops_the_start(age, tmp_path):
    env = server_env(tmp_path, tmp_path, LOG_RETENTION=age)
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "LOG_RETENTION" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "pgbouncer"])
def test_of_many_processes_one_does_it(database, tmp_path):
    bundles.install(tmp_path / "models")
    with postgres() if database == "pgbouncer" else nullcontext() as running:
        direct = {"DATABASE_URL": running.url} if running else {}
        env = server_env(tmp_path, tmp_path / "models", LOG_RETENTION="400d", **direct)
        manage(env, "migrate", "--verbosity", "0")
        with pgbouncer(running, "transaction") if running else nullcontext() as address:
            env |= {"DATABASE_URL": address} if address else {}
            with ThreadPoolExecutor(4) as processes:
                said = list(processes.map(lambda _: manage(env, "upkeep"), range(4)))
    assert sum("Retention" in one for one in said) == 1
    assert sum("Drift" in one for one in said) == 1


def program(pid):
    """The module that the process runs (``python -m``), if it does and lives."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        return words[words.index("-m") + 1] if "-m" in words else ""
    return ""


@pytest.mark.slow
def test_a_server_does_it_by_itself(tmp_path):
    bundles.install(tmp_path / "models")
    (tmp_path / "models" / STORE).mkdir()  # no verdict of another test: the workers need a room
    (tmp_path / "soon.py").write_text(
        "from batcomputer.wsgi import application\n"
        "from batcomputer.worker import upkeep\n"
        "upkeep.SECONDS = 1\n"
    )
    settings = {"LOG_RETENTION": "400d", "PYTHONPATH": str(tmp_path), "WEB_CONCURRENCY": "4"}
    titles = ["Retention", "Drift", "Evidence", "Figures", "Top scores", "Spool", "Shadow"]
    most = dict.fromkeys(["batcomputer.upkeep", "predictor.scoring.supervisor"], 0)  # at a time

    def done():
        programs = [program(pid) for pid in family(server.process.pid)]
        most.update({name: max(most[name], programs.count(name)) for name in most})
        said = server.log.read_text()
        return all(f'"{title}: ' in said for title in titles)

    with batcomputer(tmp_path, tmp_path / "models", "soon", **settings) as server:
        eventually(done, seconds=120)
        assert server.process.poll() is None
    assert most == dict.fromkeys(most, 1), "each would load the models once more"
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert any(line["message"] == "Retention: 0 predictions deleted" for line in lines)
