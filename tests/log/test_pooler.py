"""Behind PgBouncer, in each of its modes: rows reach the table, and limits are still kept."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests import bundles, wire
from tests.servers import batcomputer, manage, pgbouncer, postgres, server_env

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("pgbouncer", path="/usr/sbin"),
                       reason="apt-get install pgbouncer"),
]  # fmt: skip


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Migrated past the pooler."""
    folder = tmp_path_factory.mktemp("migrated")
    with postgres() as running:
        manage(server_env(folder, folder, DATABASE_URL=running.url), "migrate", "--verbosity", "0")
        yield running


def count(database):
    with psycopg.connect(database.url) as connection:
        return connection.execute("SELECT count(*) FROM predictor_prediction").fetchone()[0]


@pytest.mark.parametrize("mode", ["session", "transaction", "statement"])
def test_rows_reach_the_table(database, mode, tmp_path):
    """The request's connection reads which version answers, the log's own writes the row."""
    bundles.install(tmp_path / "models")
    before = count(database)
    with (
        pgbouncer(database, mode) as address,
        batcomputer(tmp_path, tmp_path / "models", migrate=False, DATABASE_URL=address,
                    HTTPS="false") as server,
        ThreadPoolExecutor(8) as clients,
    ):  # fmt: skip
        asked = [clients.submit(wire.ask, server.port, wire.request()) for _ in range(40)]
        assert {answer.result().status for answer in asked} == {200}
        assert count(database) == before + 40
        assert not list((tmp_path / "spool").glob("*.jsonl"))
    assert "unsupported startup parameter" not in server.log.read_text()


def test_a_locked_table_is_not_waited_for(database, tmp_path):
    bundles.install(tmp_path / "models")
    with (
        pgbouncer(database, "transaction") as address,
        batcomputer(tmp_path, tmp_path / "models", migrate=False, DATABASE_URL=address,
                    HTTPS="false") as server,
        psycopg.connect(database.url) as other,
    ):  # fmt: skip
        other.execute("LOCK TABLE predictor_prediction IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        assert wire.ask(server.port, wire.request()).status == 200
        assert 1.5 < time.monotonic() - started < 4
        assert list((tmp_path / "spool").glob("*.jsonl"))
        other.rollback()
