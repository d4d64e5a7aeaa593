"""Connections: the requests' and the log writer's are made alike; and how a file's rows are."""

import shutil
import sqlite3
from contextlib import closing

import environ
import pytest
from django.db.utils import ConnectionHandler

from predictor.log.writer import store
from predictor.log.writer.rows import COLUMNS
from tests.log.entries import entry

ADDRESS = "postgres://bat:secret@db.example:5433/log"


@pytest.fixture
def made(monkeypatch):
    """The parameters of connections from a database URL: those of requests, and the writer's."""

    def of(address):
        described = environ.Env.db_url_config(address) | {"ENGINE": "batcomputer.database"}
        handler = ConnectionHandler({"default": described})
        monkeypatch.setattr(store, "connections", handler)
        writers = store.connect_store()._connection
        return [one.get_connection_params() for one in (handler["default"], writers)]

    return of


def test_both_are_made_alike(made):
    """But for how long each waits; nothing is sent to the server, which a pooler would refuse."""
    request, writer = made(ADDRESS)
    assert request.pop("connect_timeout") > writer.pop("connect_timeout") == 2
    for one in (request, writer):
        one.pop("cursor_factory"), one.pop("server_side_binding", None)
    assert request == writer
    assert request["tcp_user_timeout"] == 2000
    assert request["keepalives_idle"] == 1
    assert "options" not in request


def test_the_address_has_the_last_word(made):
    for one in made(f"{ADDRESS}?connect_timeout=9&keepalives_idle=30"):
        assert (one["connect_timeout"], one["keepalives_idle"]) == (9, 30)


@pytest.mark.django_db
@pytest.mark.parametrize("in_bulk", [True, False])
def test_rows_in_bulk_reach_the_disk_when_they_are_flushed(tmp_path, monkeypatch, in_bulk):
    """And others read them before; alone, every commit waits for the disk."""
    path, synced = tmp_path / "log.sqlite3", []
    pragmas = {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"}
    own = environ.Env.db_url_config(f"sqlite:///{path}") | {"OPTIONS": pragmas}
    monkeypatch.setattr(store, "connections", ConnectionHandler({"default": own}))
    monkeypatch.setattr(store, "sync", synced.append)
    opened = store.connect_store(in_bulk=in_bulk)
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"CREATE TABLE predictor_prediction ({','.join(COLUMNS)}, UNIQUE (id))")
        opened.insert([entry(number=n) for n in range(60)], None)
        assert _count(other) == 60
        with opened._connection.cursor() as cursor:
            assert cursor.execute("PRAGMA synchronous").fetchone() == (1 if in_bulk else 2,)
        opened.flush()
        assert [file.name for file in synced] == (["log.sqlite3-wal"] if in_bulk else [])
        shutil.copy(path, tmp_path / "copy.sqlite3")  # without what waits beside it
        if in_bulk:
            with closing(sqlite3.connect(tmp_path / "copy.sqlite3")) as copy:
                assert _count(copy) == 60
    opened.close()
    opened._queue._file.close()


def _count(database):
    return database.execute("SELECT COUNT(*) FROM predictor_prediction").fetchone()[0]
