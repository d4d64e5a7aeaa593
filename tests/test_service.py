"""The service as it runs in production: gunicorn, its workers, a database file."""

import json
import urllib.request

import pytest

from tests import bundles
from tests.servers import batcomputer, manage, postgres

pytestmark = pytest.mark.slow


def ask(url):
    request = urllib.request.Request(
        f"{url}/api/predict",
        json.dumps(bundles.ITEM).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers["X-Prediction-Id"], json.load(answer)


def logged(env):
    script = "from predictor.models import Prediction; print(*Prediction.objects.values_list('id'))"
    return manage(env, "shell", "--no-imports", "-c", script)


def test_it_works_on_sqlite(tmp_path):
    bundles.install(tmp_path / "models")
    with batcomputer(tmp_path, tmp_path / "models") as server:
        identity, scores = ask(server.url)
        assert list(scores) == bundles.FLAGS
        assert identity in logged(server.env)


def test_it_works_on_postgresql(tmp_path):
    bundles.install(tmp_path / "models")
    with (
        postgres() as database,
        batcomputer(tmp_path, tmp_path / "models", DATABASE_URL=database.url) as server,
    ):
        identity, scores = ask(server.url)
        assert list(scores) == bundles.FLAGS
        assert identity in logged(server.env)
