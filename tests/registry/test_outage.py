"""Activations are followed again once a database that was away is back."""

import time
import urllib.request

import pytest

from tests import bundles
from tests.servers import batcomputer, manage, postgres

pytestmark = pytest.mark.slow


def wait_for(log, text, seconds=20):
    deadline = time.monotonic() + seconds
    while text not in log.read_text():
        assert time.monotonic() < deadline, f"{text!r} is not in\n{log.read_text()}"
        time.sleep(0.05)


def test_it_works(tmp_path):
    for seed, version in enumerate(("1.0.0", "1.1.0")):
        bundles.install(tmp_path / "models", version=version, estimator=bundles.fitted(seed))
    with (
        postgres() as database,
        batcomputer(
            tmp_path, tmp_path / "models", DATABASE_URL=database.url, WEB_CONCURRENCY="1"
        ) as server,
    ):
        wait_for(server.log, "arkham 1.1.0 answers")
        database.stop("immediate")
        wait_for(server.log, "activations cannot be looked up")
        with urllib.request.urlopen(f"{server.url}/healthz", timeout=10) as answer:
            assert answer.status == 200
        database.start()
        wait_for(server.log, "activations can be looked up again")
        manage(server.env, "activate_model", "arkham", "1.0.0")
        wait_for(server.log, "arkham 1.0.0 answers", seconds=2)
