"""manage.py archive_predictions: whole days as Parquet, checked before they may go."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from predictor.log import archiving
from predictor.log.writer.store import Store
from predictor.models import Outcome, Prediction
from tests.log.entries import entry

pq = pytest.importorskip("pyarrow.parquet")
pytestmark = pytest.mark.django_db
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
ODD = {"city": "Blüdhaven", "villain": None, "hour": 1e300, "note": "a\n\u2028\"'"}


@pytest.fixture
def log():
    """Two models, on each of the last five days; one outcome."""
    rows = [
        entry(NOON - timedelta(days=age), number=n, model=model, inputs=ODD, items=None if n else 1)
        for age in range(5)
        for n, model in enumerate(("arkham", "zoo"))
    ]
    Store(connection).insert(rows, None)
    Outcome.objects.create(prediction_id=rows[8][0], model="arkham", version="1.0.0", flag="jailed")
    return rows


def test_it_works(log, tmp_path, capsys):
    call_command("archive_predictions", str(tmp_path))
    assert "6 predictions archived and checked" in capsys.readouterr().out
    table = pq.read_table(tmp_path)  # with the partitions as columns
    assert table.num_rows == 6
    assert set(table["model"].to_pylist()) == {"arkham", "zoo"}
    oldest = f"{NOON - timedelta(days=4):%Y-%m-%d}"
    (row,) = (row for row in table.to_pylist() if (row["model"], row["day"]) == ("arkham", oldest))
    assert row["outcome"] == "jailed"
    assert json.loads(row["inputs"]) == ODD
    assert row["time"].astimezone(UTC) == NOON - timedelta(days=4)
    call_command("archive_predictions", str(tmp_path))
    assert "0 predictions archived" in capsys.readouterr().out


@pytest.mark.slow
def test_what_came_late_is_archived_anew(log, tmp_path, capsys):
    call_command("archive_predictions", str(tmp_path))
    Store(connection).insert([entry(NOON - timedelta(days=3), number=77)], None)
    late = Prediction.objects.filter(model="zoo").order_by("id").first()
    Outcome.objects.create(prediction=late, model="zoo", version="1.0.0", flag="escapes")
    capsys.readouterr()
    call_command("archive_predictions", str(tmp_path))
    said = capsys.readouterr().out
    assert said.endswith("3 predictions archived and checked\n")
    assert said.count("zoo") == 1


@pytest.mark.slow
def test_nothing_goes_that_is_not_archived(log, tmp_path, settings, capsys):
    settings.LOG_ARCHIVE = str(tmp_path)
    call_command("prune_predictions", "--older-than", "1d")
    assert capsys.readouterr().out == "0 predictions deleted\n"
    call_command("archive_predictions")
    call_command("prune_predictions", "--older-than", "1d")
    assert capsys.readouterr().out.endswith("6 predictions deleted\n")
    assert Prediction.objects.count() == 4


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["a byte", "the file", "the check"])
def test_a_harmed_archive_holds_the_rows_back(log, tmp_path, settings, harm):
    settings.LOG_ARCHIVE = str(tmp_path)
    call_command("archive_predictions")
    day = f"day={NOON - timedelta(days=3):%Y-%m-%d}"
    file = tmp_path / "model=zoo" / day / archiving.FILE
    if harm == "a byte":
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    elif harm == "the file":
        file.unlink()
    else:
        (file.parent / archiving.CHECKED).unlink()
    call_command("prune_predictions", "--older-than", "1d")
    assert Prediction.objects.count() == 8  # the day before it went


def test_a_file_that_does_not_hold_the_rows_is_not_called_checked(log, tmp_path, monkeypatch):
    read = archiving._read_parquet
    monkeypatch.setattr(archiving, "_read_parquet", lambda path: list(read(path))[1:])
    with pytest.raises(CommandError, match="does not hold what was written"):
        call_command("archive_predictions", str(tmp_path))
    assert not list(tmp_path.rglob(archiving.CHECKED))


@pytest.mark.slow
def test_upkeep_archives_before_it_deletes(log, tmp_path, settings, capsys, arkham, monkeypatch):
    monkeypatch.setattr("predictor.log.writer.connect_store", lambda: Store(connection))
    settings.LOG_ARCHIVE, settings.LOG_RETENTION = str(tmp_path / "archive"), "2d"
    call_command("upkeep")
    said = capsys.readouterr().out
    assert "Archive: 6 predictions archived in 6 files" in said
    assert Prediction.objects.count() < 10


@pytest.mark.parametrize(
    ("arguments", "says"),
    [([], "LOG_ARCHIVE"), (["x", "--before", "2999-01-01"], "not be after today")],
)
def test_it_rejects(arguments, says):
    with pytest.raises(CommandError, match=says):
        call_command("archive_predictions", *arguments)
