"""A rate over all workers: exact with a Redis behind them, and no outage when that is gone."""

import shutil
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests import bundles, wire
from tests.deadlines import eventually
from tests.servers import batcomputer, free_port, stop

pytestmark = pytest.mark.slow


@contextmanager
def redis(port):
    program = shutil.which("redis-server")
    assert program, "Redis is not installed: apt-get install redis-server"
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    try:
        eventually(lambda: _answers(port))
        yield process
    finally:
        stop(process)


def _answers(port):
    try:
        with wire.connect(port) as client:
            client.sendall(b"PING\r\n")
            return client.recv(100).startswith(b"+PONG")
    except OSError:
        return False


def ask_often(port, count):
    with ThreadPoolExecutor(8) as clients:
        answers = clients.map(lambda _: wire.ask(port, wire.request()), range(count))
        return Counter(answer.status for answer in answers)


def test_it_is_exact_and_survives_its_cache(tmp_path):
    port = free_port()
    bundles.install(tmp_path / "models")
    settings = {"CACHE_URL": f"redis://127.0.0.1:{port}/0", "THROTTLE_RATE": "50/day"}
    with batcomputer(tmp_path, tmp_path / "models", **settings) as server:
        with redis(port):
            assert ask_often(server.port, 100) == {200: 50, 429: 50}
            refused = wire.ask(server.port, wire.request())
        assert refused.json["detail"].startswith("at most 50 requests a day; try again in")
        assert 0 < int(refused.headers["Retry-After"]) <= 24 * 3600
        gone = [wire.ask(server.port, wire.request()) for _ in range(20)]
        assert {answer.status for answer in gone} == {200}
        assert max(answer.seconds for answer in gone) < 3
        with redis(port):  # an empty one, which is asked again after a few seconds
            eventually(lambda: ask_often(server.port, 60)[429] > 0, seconds=30)
