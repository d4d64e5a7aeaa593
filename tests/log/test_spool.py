"""Rows in a file while the database is down, and their way back."""

import errno
import shutil
import sqlite3
import zlib
from contextlib import closing

import orjson
import pytest
from django.db import DatabaseError, OperationalError, connection
from django.db.utils import ConnectionHandler

from predictor.log.uuid7 import uuid7
from predictor.log.writer.replay import replay
from predictor.log.writer.rows import COLUMNS, time_text
from predictor.log.writer.spool import Spool
from predictor.log.writer.spool_files import claimed, read
from predictor.log.writer.store import Store, connect_store
from predictor.models import Prediction
from tests.bundles import ITEM
from tests.deadlines import eventually

pytestmark = pytest.mark.django_db


def row(**changed):
    identity = uuid7()
    values = {
        "id": identity.hex, "time": time_text(identity), "model": "arkham", "version": "1.0.0",
        "sha256": "0" * 64, "inputs": '{"city": "Gotham"}', "scores": '{"jailed": 1.0}',
        "top_flag": "jailed", "duration": 0.1, "source": "api", "caller": "", "reference": "",
        "trace": "",
        "items": 1, "top_score": 1.0, "score_step": 32736,
    }  # fmt: skip
    return tuple((values | changed)[name] for name in COLUMNS)


def unlocked_rows(path):
    with claimed(path) as file:
        return None if file is None else list(read(file))


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "other-spool")
    yield spool
    spool.seal()


@pytest.fixture
def database_down(monkeypatch):
    """The database refuses every statement until the fixture's value is set to False."""
    state = {"down": True}
    insert = Store.insert_in_turn

    def failing(self, take, refuse):
        if state["down"]:
            raise DatabaseError("the database is down")
        insert(self, take, refuse)

    monkeypatch.setattr(Store, "insert_in_turn", failing)
    return state


def test_it_works(spool):
    rows = [row(), row()]
    spool.append(rows)
    spool.seal()
    assert replay(spool, Store(connection)) == 2
    assert [p.id.hex for p in Prediction.objects.order_by("id")] == [row[0] for row in rows]
    assert spool.files() == []


def test_a_row_that_is_there_already_is_not_written_twice(spool):
    known, new = row(), row()
    Store(connection).insert([known], spool.refuse)
    spool.append([row(id=known[0], model="zoo", scores='{"jailed": 0.0}'), new])
    spool.seal()
    replay(spool, Store(connection))
    assert Prediction.objects.count() == 2
    kept = Prediction.objects.get(id=known[0])
    assert (kept.model, kept.scores) == ("arkham", {"jailed": 1.0}), "what was recorded stays"


def test_every_text_and_number_is_written_as_it_is():
    """PostgreSQL reads rows from JSON, with its own rules for texts and numbers."""
    odd = "a 'quote', a \"double\" one, 100 % \\ \\u0041 %s ? {}\n\tz\u202e🦇"
    known = row(
        inputs=orjson.dumps({odd: odd}).decode(), top_flag=odd, reference=odd, caller="null",
        trace=None, duration=0.1 + 0.2, top_score=1e-300, score_step=-(2**31), items=2**31 - 1,
    )  # fmt: skip
    Store(connection).insert([known], None)
    written = Prediction.objects.get()
    assert written.inputs == {odd: odd}
    assert written.scores == {"jailed": 1.0}
    assert (written.id.hex, written.time.isoformat(" ")) == (known[0], f"{known[1]}+00:00")
    kept = (
        "top_flag", "reference", "caller", "trace", "duration", "top_score", "score_step", "items",
    )  # fmt: skip
    assert {name: getattr(written, name) for name in kept} == {
        name: known[COLUMNS.index(name)] for name in kept
    }


def test_a_living_process_keeps_its_file(spool):
    spool.append([row()])
    assert unlocked_rows(spool.files()[0]) is None
    assert replay(spool, Store(connection)) == 0


def test_a_torn_line_is_left_out(spool):
    whole = row()
    spool.append([whole, row()])
    spool.seal()
    path = spool.files()[0]
    path.write_bytes(path.read_bytes()[:-20])
    assert unlocked_rows(path) == [whole]


def test_a_file_with_a_damaged_line_is_kept(spool):
    rows = [row(), row(), row()]
    spool.append(rows)
    spool.seal()
    (path,) = spool.files()
    text = path.read_bytes().replace(rows[1][0].encode(), rows[1][0][::-1].encode())
    path.write_bytes(text)
    assert replay(spool, Store(connection)) == 2
    assert {p.id.hex for p in Prediction.objects.all()} == {rows[0][0], rows[2][0]}
    assert spool.files() == []
    assert path.with_suffix(".refused").read_bytes() == text


def test_rows_of_another_shape_are_kept(spool):
    spool.append([(*row(), "a column this release does not know")])
    spool.seal()
    assert replay(spool, Store(connection)) == 0
    assert list(spool.folder.glob("*.refused"))


def test_a_file_that_cannot_be_read_holds_up_no_other(spool):
    (spool.folder / "0.jsonl").mkdir(parents=True)
    spool.append([row()])
    spool.seal()
    assert replay(spool, Store(connection)) == 1


def test_a_file_that_cannot_be_removed_does_not_keep_the_database_down(spool, monkeypatch):
    def not_permitted(self, *args):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    spool.append([row()])
    spool.seal()
    monkeypatch.setattr("pathlib.Path.unlink", not_permitted)
    assert replay(spool, Store(connection)) == 1
    assert replay(spool, Store(connection)) == 1
    assert Prediction.objects.count() == 1


def test_a_write_that_failed_half_way_leaves_nothing(spool, monkeypatch):
    first, last = row(), row()
    spool.append([first])
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", _disk_is_full)
        with pytest.raises(OSError, match="No space"):
            spool.append([row()])
    spool.append([last])
    spool.seal()
    assert unlocked_rows(spool.files()[0]) == [first, last]


@pytest.mark.parametrize("loss", ["removed", "moved", "replaced"])
def test_it_survives_the_loss_of_its_folder(spool, loss):
    """A volume that is mounted over it, a clean-up: the rows that wait are written where it is."""
    first, second, third = row(), row(), row()
    spool.append([first])
    if loss == "removed":
        shutil.rmtree(spool.folder)
    else:
        spool.folder.rename(spool.folder.with_name("gone"))
    if loss == "replaced":
        spool.folder.mkdir()
    spool.append([second])
    shutil.rmtree(spool.folder)
    spool.seal()
    spool.append([third])
    spool.seal()
    assert replay(spool, Store(connection)) == 3
    assert {p.id.hex for p in Prediction.objects.all()} == {first[0], second[0], third[0]}


def test_a_process_killed_while_it_tries_leaves_nothing(spool, monkeypatch):
    left = []
    monkeypatch.setattr(
        "predictor.log.writer.spool.write_all",
        lambda file, data: left.extend(spool.folder.iterdir()),
    )
    spool.probe()
    assert left == []


@pytest.fixture
def file_store(tmp_path, monkeypatch):
    """A store over an SQLite file with an empty log; ``path`` is the file."""
    if connection.vendor != "sqlite":
        pytest.skip("it is SQLite's table")
    tables = "SELECT sql FROM sqlite_master WHERE name = 'predictor_prediction'"
    with connection.cursor() as cursor:
        (schema,) = cursor.execute(tables).fetchone()
    path = tmp_path / "log.sqlite3"
    described = ConnectionHandler(
        {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}}
    )
    monkeypatch.setattr("predictor.log.writer.store.connections", described)
    store = connect_store()
    store.path, store.schema = path, schema
    new_log(store)
    yield store
    store.close()
    store._queue._file.close()


def new_log(store):
    with closing(sqlite3.connect(store.path)) as made:
        made.execute(store.schema)


def rows_in(path):
    with closing(sqlite3.connect(path)) as asking:
        return [found for (found,) in asking.execute("SELECT id FROM predictor_prediction")]


def test_no_row_goes_to_a_file_that_was_removed(file_store, spool):
    first, second = row(), row()
    file_store.insert([first], spool.refuse)
    away = file_store.path.rename(file_store.path.with_name("away"))
    for attempt in (lambda: file_store.insert([second], spool.refuse), file_store._probe):
        with pytest.raises(OperationalError, match=r"there is no .*log\.sqlite3; put"):
            attempt()
    assert not file_store.path.exists(), "no empty database is made"
    away.rename(file_store.path)
    file_store.insert([second], spool.refuse)
    assert rows_in(file_store.path) == [first[0], second[0]]


def test_no_row_goes_to_a_file_that_was_replaced(file_store, spool):
    first, second = row(), row()
    file_store.insert([first], spool.refuse)
    away = file_store.path.rename(file_store.path.with_name("away"))
    new_log(file_store)
    with pytest.raises(OperationalError, match="removed or replaced"):
        file_store.insert([second], spool.refuse)
    file_store.insert([second], spool.refuse)
    assert (rows_in(away), rows_in(file_store.path)) == ([first[0]], [second[0]])


def _disk_is_full(descriptor):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.django_db(transaction=True)
def test_a_row_the_database_never_takes_does_not_hold_up_the_others(spool):
    poison, good = row(scores="not JSON"), row()
    Store(connection).insert([poison, good], spool.refuse)
    assert Prediction.objects.get().id.hex == good[0]
    (refused,) = spool.folder.glob("*.refused")
    assert poison[0] in refused.read_text()


@pytest.mark.django_db(transaction=True)
def test_it_answers_from_the_spool_and_writes_later(
    arkham, post, database_down, log_in_the_tests_transaction
):
    folder = log_in_the_tests_transaction.folder
    identity = post(ITEM)["X-Prediction-Id"]
    assert not Prediction.objects.exists()
    assert len(list(folder.iterdir())) == 1
    database_down["down"] = False
    eventually(lambda: Prediction.objects.filter(id=identity).exists())
    eventually(lambda: not list(folder.iterdir()))
    assert post(ITEM).status_code == 200
    assert Prediction.objects.count() == 2


@pytest.fixture
def nothing_writable(database_down, monkeypatch):
    monkeypatch.setattr(Spool, "append", lambda self, rows: _disk_is_full(0))


def test_it_rejects_what_it_cannot_record(arkham, post, nothing_writable):
    response = post(ITEM)
    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert "prediction log" in response.json()["detail"]


def test_best_effort_answers_all_the_same(arkham, post, nothing_writable, settings):
    settings.PREDICTION_LOG = "best-effort"
    assert post(ITEM).status_code == 200


def test_off_records_nothing(arkham, post, settings):
    settings.PREDICTION_LOG = "off"
    assert post(ITEM).status_code == 200
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("columns", [12, 13, 14, 15])
def test_a_row_of_an_older_release_is_read(tmp_path, columns):
    kept = row()
    text = orjson.dumps(kept[:columns])
    path = tmp_path / "old.jsonl"
    path.write_bytes(b"%08x %s\n" % (zlib.crc32(text), text))
    with path.open("rb") as file:
        assert list(read(file)) == [(*kept[:columns], *[None] * (len(kept) - columns))]
