"""manage.py prune_predictions and replay_spool."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from predictor.log import retention
from predictor.log.writer.spool import Spool
from predictor.log.writer.store import Store
from predictor.models import Outcome, Prediction
from tests.log.entries import entry, many

pytestmark = pytest.mark.django_db


def test_it_works(capsys, monkeypatch):
    monkeypatch.setattr(retention, "_BATCH", 3)
    now = datetime.now(UTC)
    rows = [entry(now - timedelta(days=age)) for age in range(10)]
    Store(connection).insert(rows, None)
    for row in rows:
        Outcome.objects.create(prediction_id=row[0], model="arkham", version="1.0.0", flag="jailed")
    call_command("prune_predictions", "--older-than", "4d")
    assert capsys.readouterr().out == "6 predictions deleted\n"
    assert Prediction.objects.count() == Outcome.objects.count() == 4
    assert min(p.time for p in Prediction.objects.all()) > now - timedelta(days=4)


def test_the_longest_age_deletes_nothing(capsys):
    """It begins in the year 109, when there was no id."""
    Store(connection).insert([entry(datetime.now(UTC))], None)
    call_command("prune_predictions", "--older-than", "99999w")
    assert capsys.readouterr().out == "0 predictions deleted\n"
    assert Prediction.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_sqlite_gives_the_space_back(tmp_path, capsys, monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's autovacuum sees to it")
    path = tmp_path / "size"
    path.write_bytes(b"12")  # the tests' database is in memory
    monkeypatch.setitem(connection.settings_dict, "NAME", str(path))
    executed = []
    old = datetime.now(UTC) - timedelta(days=5)
    Store(connection).insert([entry(old)], None)
    with connection.execute_wrapper(
        lambda execute, sql, *rest: (executed.append(sql), execute(sql, *rest))[1]
    ):
        call_command("prune_predictions", "--older-than", "4d")
        call_command("prune_predictions", "--older-than", "4d")
    assert executed.count("VACUUM") == 1
    assert f"{path} has 0.0 MB now; it had 0.0 MB" in capsys.readouterr().out


@pytest.mark.parametrize("age", ["", "90", "d", "-1d", "1y", "99999999d"])
def test_it_rejects_what_is_no_age(age):
    with pytest.raises(CommandError, match="is no age"):
        call_command("prune_predictions", f"--older-than={age}")


@pytest.mark.django_db(transaction=True)
def test_the_spool_is_replayed_by_hand(tmp_path, settings, capsys, monkeypatch):
    settings.SPOOL_DIR = tmp_path / "left"
    monkeypatch.setattr("predictor.log.writer.connect_store", lambda: Store(connection))
    spool = Spool(Path(settings.SPOOL_DIR))
    spool.append(list(many(700)))
    call_command("replay_spool")
    assert "1 file stays: processes that run" in capsys.readouterr().out
    spool.seal()
    call_command("replay_spool")
    assert capsys.readouterr().out == "700 predictions written\n"
    assert Prediction.objects.count() == 700
