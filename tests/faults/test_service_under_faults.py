"""The service while things break around it."""

import time

import pytest

from tests import bundles
from tests.faults.soak import soak
from tests.lengths import length
from tests.load import load
from tests.servers import batcomputer

pytestmark = pytest.mark.slow


def test_a_stop_drops_no_request(tmp_path):
    """SIGTERM under load: accepted requests are answered in full; new connections are refused."""
    bundles.install(tmp_path / "models")
    with batcomputer(tmp_path, tmp_path / "models") as server:
        with load(server.port) as clients:
            time.sleep(1)
            asked = len(clients.answered)
            started = time.monotonic()
            server.process.terminate()
            assert server.process.wait(30) == 0
            assert time.monotonic() - started < 25, "idle connections do not delay a stop"
        assert asked > 0
        assert clients.refused == []
        assert clients.broken == []


def test_a_soak_is_clean(tmp_path):
    """scripts/soak in its short form; the long one is for people."""
    assert soak(length(15, 600), seed=int(time.time()))
