"""manage.py score_file: every row on record once, also where it was ended in the middle."""

import csv
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from predictor.api.bulk import journal as journals
from predictor.api.bulk import run
from predictor.api.bulk.errors import BulkError
from predictor.api.bulk.run import Files, score_file
from predictor.artifacts.errors import Abstention, InvalidInput
from predictor.models import Prediction
from predictor.serving.current import serving
from tests import bundles
from tests.bundles import CITIES
from tests.servers import ROOT, manage, server_env

pytestmark = pytest.mark.django_db
HEADER = "order,city,villain,hour"


class Killed(BaseException):
    """An error that no handler catches."""


@pytest.fixture
def score(arkham, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "BATCH", 2)
    monkeypatch.setattr(run, "NOTED", 4)

    def start(text, source="in.csv", answers="out.csv", reference="", kill_after=None):
        files = Files(tmp_path / source, tmp_path / answers)
        if isinstance(text, str):
            files.source.write_text(text, newline="")
        model = serving().active()
        journal = journals.read(files.journal) or journals.begin(files.source, model, reference)
        calls = []

        def progress(position, seconds):
            calls.append(position)
            if len(calls) == kill_after:
                raise Killed

        score_file(model, files, journal, "Gordon", progress)
        return files

    return start


def rows_of(path, delimiter=","):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def lines(count):
    return [f"A-{n},{CITIES[n % 3]},Joker,{n % 24}" for n in range(count)]


def test_every_row_is_answered_and_on_record(score):
    files = score("\n".join([HEADER, *lines(5)]), reference="order")
    answered = rows_of(files.answers)
    assert list(answered[0]) == [*HEADER.split(","), *bundles.FLAGS, "id"]
    on_record = {str(row.id): row for row in Prediction.objects.all()}
    assert [on_record[row["id"]].reference for row in answered] == [f"A-{n}" for n in range(5)]
    for row in answered:
        kept = on_record[row["id"]]
        assert kept.scores == {flag: float(row[flag]) for flag in bundles.FLAGS}
        assert (kept.source, kept.caller) == ("csv", "Gordon")
    assert sorted(path.name for path in files.answers.parent.glob("out*")) == ["out.csv"]


def test_refused_rows_are_in_a_file_of_their_own(score):
    wrong = [
        "A-1,Gotham,Jokre,3",
        "A-2,Gotham",
        f"{'x' * 201},Gotham,Joker,3",
        "=A,Gotham,Joker,99",
    ]
    files = score("\n".join([HEADER, *lines(1), *wrong, *lines(1)]), reference="order")
    assert len(rows_of(files.answers)) == 2
    refused = rows_of(files.refused)
    assert [row["row"] for row in refused] == ["3", "4", "5", "6"]
    assert "villain" in refused[0]["problem"]
    assert "2 cells, the header has 4" in refused[1]["problem"]
    assert "at most 200 characters" in refused[2]["problem"]
    assert refused[3]["order"] == "=A"
    assert Prediction.objects.count() == 2


@pytest.mark.parametrize("kill_after", [1, 2, 3])
def test_one_that_was_killed_goes_on(score, kill_after, tmp_path):
    text = "\n".join([HEADER, *lines(3), "A-9,Gotham,Jokre,3", *lines(2)])
    with pytest.raises(Killed):
        score(text, kill_after=kill_after)
    assert not (tmp_path / "out.csv").exists()
    files = score(None)
    assert [row["order"] for row in rows_of(files.answers)] == ["A-0", "A-1", "A-2", "A-0", "A-1"]
    assert [row["row"] for row in rows_of(files.refused)] == ["5"]
    assert Prediction.objects.count() == 5


@pytest.mark.parametrize("place", ["put", "save"])
def test_a_batch_that_was_not_noted_is_not_on_record_twice(score, monkeypatch, place):
    """It was killed after the rows were on record: while they were written, or noted."""
    with monkeypatch.context() as patch:

        def killed(*_):
            if Prediction.objects.count() == 4:
                raise Killed
            return real(*_)

        where = journals if place == "put" else journals.Journal
        real = getattr(where, place)
        patch.setattr(where, place, killed)
        with pytest.raises(Killed):
            score("\n".join([HEADER, *lines(5)]))
    on_record = set(Prediction.objects.values_list("id", flat=True))
    files = score(None)
    answered = rows_of(files.answers)
    assert [row["order"] for row in answered] == [f"A-{n}" for n in range(5)]
    assert {str(one) for one in on_record} <= {row["id"] for row in answered}
    assert Prediction.objects.count() == 5


def test_a_row_without_an_answer_is_refused(score, monkeypatch):
    model = type(serving().active())
    real = model.score

    def picky(self, rows):
        for place, row in enumerate(rows):
            if row[2] == 1:
                raise Abstention("not at one o'clock", position=place)
        return real(self, rows)

    monkeypatch.setattr(model, "score", picky)
    files = score("\n".join([HEADER, *lines(4)]))
    assert [row["order"] for row in rows_of(files.answers)] == ["A-0", "A-2", "A-3"]
    assert "not at one o'clock" in rows_of(files.refused)[0]["problem"]


def test_a_file_is_written_as_it_was(score):
    text = "\ufeff" + "\n".join([HEADER.replace("order", "id"), *lines(2)]).replace(",", ";")
    files = score(text)
    assert files.answers.read_bytes().startswith(b"\xef\xbb\xbfid;city")
    assert list(rows_of(files.answers, ";")[0])[-1] == "prediction_id"


def test_the_column_of_ids_has_a_name_of_its_own(score):
    text = f"id,prediction_id,{HEADER}\n1,2,{lines(1)[0]}"
    (answered,) = rows_of(score(text).answers)
    assert (answered["id"], answered["prediction_id"]) == ("1", "2")
    assert answered["prediction_id_"] == str(Prediction.objects.get().id)


def test_a_feature_is_no_reference(score):
    with pytest.raises(InvalidInput, match="the model reads the column 'city'"):
        score("\n".join([HEADER, *lines(1)]), reference="city")


def test_two_do_not_write_one_file(score, tmp_path):
    with (tmp_path / "out.csv.part").open("ab") as file:
        journals.fcntl.flock(file, journals.fcntl.LOCK_EX)
        with pytest.raises(BulkError, match="another process"):
            score("\n".join([HEADER, *lines(1)]))


@pytest.mark.slow
@pytest.mark.parametrize(("source", "answers"), [("in.parquet", "out.parquet"),
                                                 ("in.parquet", "out.csv"),
                                                 ("in.csv", "out.parquet")])  # fmt: skip
def test_parquet_is_read_and_written(score, tmp_path, source, answers):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    text = "\n".join([HEADER, *lines(3), "A-9,Gotham,Jokre,3", *lines(2)])
    if source == "in.parquet":
        table = [line.split(",") for line in text.splitlines()[1:]]
        orders, cities, villains, hours = zip(*table, strict=True)
        columns = {"order": orders, "city": cities, "villain": villains,
                   "hour": [int(hour) for hour in hours]}  # fmt: skip
        pq.write_table(pa.table({k: list(v) for k, v in columns.items()}), tmp_path / source)
        text = None
    with pytest.raises(Killed):
        score(text, source, answers, "order", kill_after=2)
    files = score(None, source, answers, "order")
    if answers == "out.parquet":
        found = pq.read_table(files.answers)
        assert found.schema.field("escapes").type == pa.float64()
        assert found.schema.field("hour").type == (pa.int64() if text is None else pa.string())
        rows = found.to_pylist()
    else:
        rows = rows_of(files.answers)
    assert [row["order"] for row in rows] == ["A-0", "A-1", "A-2", "A-0", "A-1"]
    assert [row["order"] for row in rows_of(files.refused)] == ["A-9"]
    assert {str(i) for i in Prediction.objects.values_list("id", flat=True)} == {
        row["id"] for row in rows
    }
    assert len(list(tmp_path.glob("out*"))) == 2


@pytest.mark.slow
def test_the_command_is_killed_and_run_again(tmp_path):
    bundles.install(tmp_path / "models")
    env = server_env(tmp_path, tmp_path / "models")
    manage(env, "migrate", "--verbosity", "0")
    source, answers = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("\n".join([HEADER, *lines(6_000)]))
    command = [sys.executable, "manage.py", "score_file", "arkham", str(source), str(answers)]
    first = subprocess.Popen([*command, "--busy", "0.2"], cwd=ROOT, env=env)
    journal, deadline = Path(f"{answers}.journal"), time.monotonic() + 60
    while not (journal.exists() and journals.read(journal).rows):
        assert time.monotonic() < deadline
        assert first.poll() is None
        time.sleep(0.01)
    first.kill()
    first.wait()
    before = journals.read(journal).rows
    said = manage(env, "score_file", "arkham", str(source), str(answers), "--busy", "1")
    assert "were done before; resuming" in said
    assert 0 < before < 6_000
    answered = rows_of(answers)
    assert [row["order"] for row in answered] == [f"A-{n}" for n in range(6_000)]
    with sqlite3.connect(tmp_path / "batcomputer.sqlite3") as database:
        count = "SELECT COUNT(*), COUNT(DISTINCT id) FROM predictor_prediction"
        assert database.execute(count).fetchone() == (6_000, 6_000)
