"""Connections to PostgreSQL: the requests' and the log writer's are made alike."""

import environ
import pytest
from django.db.utils import ConnectionHandler

from predictor.log.writer import store

ADDRESS = "postgres://bat:secret@db.example:5433/log"


@pytest.fixture
def made(monkeypatch):
    """What the connections of a database's address are made with: a request's, the writer's."""

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
