"""manage.py archive_predictions: whole days as Parquet, checked before they may go."""

import io
import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from predictor.log import archive_places, archiving, history
from predictor.log.writer.store import Store
from predictor.models import EarlierOutcome, Outcome, Prediction
from tests.log.entries import entry

pq = pytest.importorskip("pyarrow.parquet")
pytestmark = pytest.mark.django_db
ODD = {"city": "Blüdhaven", "villain": None, "hour": 1e300, "note": "a\n\u2028\"'"}


def noon(age=0):
    """So many days ago, by the clock of now: the tests may have begun yesterday."""
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return today - timedelta(days=age)


@pytest.fixture
def log():
    """Two models, on each of the last five days; one outcome."""
    rows = [
        entry(noon(age), number=n, model=model, inputs=ODD, items=None if n else 1)
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
    oldest = f"{noon(4):%Y-%m-%d}"
    (row,) = (row for row in table.to_pylist() if (row["model"], row["day"]) == ("arkham", oldest))
    assert row["outcome"] == "jailed"
    assert json.loads(row["inputs"]) == ODD
    assert row["time"].astimezone(UTC) == noon(4)
    call_command("archive_predictions", str(tmp_path))
    assert "0 predictions archived" in capsys.readouterr().out


@pytest.mark.slow
def test_what_came_late_is_archived_anew(log, tmp_path, capsys):
    call_command("archive_predictions", str(tmp_path))
    Store(connection).insert([entry(noon(3), number=77)], None)
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
    day = f"day={noon(3):%Y-%m-%d}"
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
    read = archiving.read_parquet
    monkeypatch.setattr(archiving, "read_parquet", lambda path: list(read(path))[1:])
    with pytest.raises(CommandError, match="does not hold what was written"):
        call_command("archive_predictions", str(tmp_path))
    assert not list(tmp_path.rglob(archiving.CHECKED))


def test_a_day_that_changes_while_it_is_written_is_not_called_checked(log, tmp_path, monkeypatch):
    digest = archiving.digest_of

    def meanwhile(rows):
        Store(connection).insert([entry(noon(4) + timedelta(seconds=1))], None)
        return digest(rows)

    monkeypatch.setattr(archiving, "digest_of", meanwhile)
    with pytest.raises(CommandError, match="changed meanwhile"):
        call_command("archive_predictions", str(tmp_path))
    assert not list(tmp_path.rglob(archiving.CHECKED))


def archived(folder, model="arkham", age=3):
    """The ids and outcomes that the archive holds of a day."""
    file = folder / f"model={model}" / f"day={noon(age):%Y-%m-%d}" / archiving.FILE
    return {row["id"]: row["outcome"] for row in pq.read_table(file).to_pylist()}


def test_a_day_that_was_deleted_in_part_stays_whole_in_the_archive(log, tmp_path, settings):
    """As when the process that deletes is killed, and archives again the day after."""
    settings.LOG_ARCHIVE = str(tmp_path)
    moment = noon(3)
    rows = [entry(moment + timedelta(seconds=n), number=n) for n in range(1, 4)]
    Store(connection).insert(rows, None)
    call_command("archive_predictions")
    whole = archived(tmp_path)
    assert len(whole) == 4
    Prediction.objects.filter(id__in=[row[0] for row in rows[:2]]).delete()
    call_command("archive_predictions")
    assert archived(tmp_path) == whole
    call_command("prune_predictions", "--older-than", "1d")
    assert Prediction.objects.count() == 4
    Store(connection).insert([entry(moment, number=99)], None)  # late, from a spool
    call_command("archive_predictions")
    assert len(archived(tmp_path)) == 5
    assert whole.items() <= archived(tmp_path).items()


def test_an_outcome_that_was_corrected_is_archived_before_it_goes(log, tmp_path, settings):
    settings.LOG_ARCHIVE = str(tmp_path)
    call_command("archive_predictions")
    (outcome,) = Outcome.objects.all()
    assert archived(tmp_path, age=4)[str(outcome.pk)] == "jailed"
    Outcome.objects.update(flag="escapes")  # by whatever way
    call_command("prune_predictions", "--older-than", "1d")
    assert Prediction.objects.count() == 10
    EarlierOutcome.objects.create(prediction_id=outcome.pk, flag="jailed", time=noon())
    call_command("archive_predictions")
    assert archived(tmp_path, age=4)[str(outcome.pk)] == "escapes"
    call_command("prune_predictions", "--older-than", "1d")
    assert Prediction.objects.count() == 4


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", range(5))
def test_a_kill_at_any_step_loses_nothing(log, tmp_path, settings, monkeypatch, step):
    """Of five steps: the file is written, noted, put in place, noted as checked; none fails."""
    settings.LOG_ARCHIVE = str(tmp_path)
    call_command("archive_predictions")
    Prediction.objects.filter(id=log[6][0]).delete()  # of a day of the Arkham model
    Store(connection).insert([entry(noon(3), number=77)], None)
    before = archived(tmp_path)
    steps = iter(range(10))

    def dying(function):
        def step_or_end(*args):
            if next(steps) == step:
                raise Killed
            return function(*args)

        return step_or_end

    monkeypatch.setattr(archiving, "write_parquet", dying(archiving.write_parquet))
    for name in ("replace_file", "move_into_place"):
        monkeypatch.setattr(archive_places, name, dying(getattr(archive_places, name)))
    with suppress(Killed):
        call_command("archive_predictions")
    call_command("archive_predictions")
    assert before.keys() < archived(tmp_path).keys()
    assert len(archived(tmp_path)) == 2
    call_command("prune_predictions", "--older-than", "1d")
    assert Prediction.objects.count() == 4


def test_more_models_than_a_filter_offers_are_archived(log, tmp_path, monkeypatch):
    monkeypatch.setattr(history, "MAX_CHOICES", 1)
    call_command("archive_predictions", str(tmp_path))
    assert len(list(tmp_path.glob("model=*"))) == 2


@pytest.mark.slow
def test_it_goes_to_a_container_of_blob_storage(log, tmp_path, settings, capsys):
    from tests.azurite import azurite  # Azure's packages, which no fast test needs

    with azurite(tmp_path) as account:
        for name, value in account.environment.items():
            setattr(settings, name, value)
        settings.LOG_ARCHIVE, settings.LOG_RETENTION = "azure:gotham-log/predictions", "1d"
        call_command("prune_predictions", "--older-than", "1d")
        assert "0 predictions deleted" in capsys.readouterr().out
        call_command("archive_predictions")
        assert "6 predictions archived and checked" in capsys.readouterr().out
        container = account.service.get_container_client("gotham-log")
        names = list(container.list_blob_names())
        assert len(names) == 12
        (name,) = (name for name in names if re.search(r"model=zoo/day=.*rows", name) and
                   f"{noon(3):%Y-%m-%d}" in name)  # fmt: skip
        Prediction.objects.filter(id=log[7][0]).delete()
        Store(connection).insert([entry(noon(3), number=7, model="zoo")], None)
        call_command("archive_predictions")
        table = pq.read_table(io.BytesIO(container.download_blob(name).readall()))
        assert table.num_rows == 2
        harmed = container.download_blob(name).readall()
        container.upload_blob(name, harmed[:-1] + b"?", overwrite=True)
        call_command("prune_predictions", "--older-than", "1d")
        assert Prediction.objects.count() == 8  # the day before it went
        container.upload_blob(name, harmed, overwrite=True)
        call_command("prune_predictions", "--older-than", "1d")
        assert Prediction.objects.count() == 4


@pytest.mark.slow
def test_upkeep_says_why_nothing_is_archived(log, settings, capsys):
    settings.AZURE_STORAGE_ACCOUNT, settings.AZURE_STORAGE_KEY = "gotham", "bm90IGEga2V5"
    settings.LOG_ARCHIVE, settings.LOG_RETENTION = "azure:No_Container/x", "1d"
    call_command("upkeep")
    said = capsys.readouterr().out
    for task in ("Archive", "Retention"):
        assert f"{task}: failed: 'No_Container' cannot be a container in Azure" in said
    assert Prediction.objects.count() == 10


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
    [
        ([], "LOG_ARCHIVE"),
        (["x", "--before", "2999-01-01"], "not be after today"),
        (["x", "--before", "tomorrow"], "'tomorrow' is not a day such as 2026-11-01"),
    ],
)
def test_it_rejects(arguments, says):
    with pytest.raises(CommandError, match=says):
        call_command("archive_predictions", *arguments)
