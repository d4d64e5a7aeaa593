"""The service while things break around it."""

import signal
import time

import pytest

from tests import bundles
from tests.deadlines import eventually
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


def test_a_stop_reaches_a_worker_that_has_just_been_forked(tmp_path):
    """It has no signal handlers yet. Docker kills after 10 s, gunicorn after 30."""
    bundles.install(tmp_path / "models")
    slow = {"GUNICORN_CMD_ARGS": "--worker-class tests.faults.slow_to_fork.SlowToFork"}
    with batcomputer(tmp_path, tmp_path / "models", WEB_CONCURRENCY="1", **slow) as server:
        server.process.send_signal(signal.SIGTTIN)
        eventually(lambda: server.log.read_text().count("no signal handlers yet") == 2)
        server.process.terminate()
        assert server.process.wait(25) == 0
