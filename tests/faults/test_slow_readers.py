"""Clients that request large responses and read slowly."""

import socket
import time

import pytest

from tests import bundles, wire
from tests.servers import batcomputer

pytestmark = pytest.mark.slow

NOTE = b"n" * 10_000
ROWS = b"city,villain,hour,note\r\n" + b"Gotham,Joker,3,%b\r\n" % NOTE * 1_000  # 10 MB come back


@pytest.fixture
def server(tmp_path):
    bundles.install(tmp_path / "models")
    with batcomputer(tmp_path, tmp_path / "models", "tests.faults.impatient") as running:
        yield running


def test_who_does_not_take_the_answer_is_let_go(server):
    """Without a traceback in the log: it is no error, and clients could fill the disk with it."""
    raw = wire.request(body=ROWS, Content_Type="text/csv")
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(raw)
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        time.sleep(3)  # it stops reading, and is disconnected after half a second
    assert wire.ask(server.port, wire.request()).status == 200
    assert "Traceback" not in server.log.read_text()
