"""Everything that uses the database, while it is gone, frozen or short of connections."""

import http.client
import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from tests import bundles, wire
from tests.servers import batcomputer, manage, postgres

pytestmark = pytest.mark.slow

SOMEBODY = "sessionid=abcdefghijklmnopqrstuvwxyz012345"
OUTCOME = "/api/predictions/01a21480-edfa-7c68-a3eb-fae452f81490/outcome"
IN_NEED = {  # of the database
    "outcome": wire.request(OUTCOME, body=b'{"outcome": "jailed"}'),
    "key": wire.request(X_API_Key="abcdefgh.abcdefghijklmnop"),
    "admin": wire.request("/admin/", "GET", b"", Cookie=SOMEBODY),
}
USUAL = {"outcome": 404, "key": 401, "admin": 302}


@pytest.fixture(scope="module")
def database():
    with postgres() as running:
        yield running


@pytest.fixture(scope="module")
def server(database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("away")
    bundles.install(folder / "models")
    settings = {"DATABASE_URL": database.url, "HTTPS": "false"}
    with batcomputer(folder, folder / "models", **settings) as running:
        yield running


@contextmanager
def gone(database):
    database.stop("immediate")
    try:
        yield
    finally:
        database.start()


@contextmanager
def frozen(database):
    """It takes connections and says nothing."""
    pid = int((database.folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def locked(database):
    """Another session holds every table, as a migration or a backup's restore does."""
    with psycopg.connect(database.url) as holder:
        tables = holder.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = ", ".join(f'"{name}"' for (name,) in tables)
        holder.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
        yield
        holder.rollback()


def ask_all(server):
    with ThreadPoolExecutor(len(IN_NEED)) as clients:
        asked = clients.map(lambda raw: wire.ask(server.port, raw), IN_NEED.values())
        return dict(zip(IN_NEED, asked, strict=True))


def statuses(server):
    return {name: answer.status for name, answer in ask_all(server).items()}


@pytest.mark.parametrize("away", [gone, frozen, locked])
def test_who_needs_it_gets_503(server, database, away):
    assert statuses(server) == USUAL
    with away(database):
        answers = ask_all(server)
        assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(
            USUAL, 503
        )
        assert max(answer.seconds for answer in answers.values()) < 10
        assert wire.ask(server.port, wire.request()).status == 200, "predictions go to the spool"
    assert statuses(server) == USUAL
    assert "Traceback" not in server.log.read_text()


def test_a_database_that_only_reads_counts_as_down(server, database):
    """A standby after a failover, or Azure's with a full disk."""
    keyed = [wire.request(Idempotency_Key=f"only reads {number}") for number in range(2)]
    with psycopg.connect(database.url, autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        admin.execute("SELECT pg_reload_conf()")
        try:
            deadline = time.monotonic() + 20
            while (answer := wire.ask(server.port, keyed[0])).status == 200:
                assert time.monotonic() < deadline
                keyed[0] = wire.request(Idempotency_Key=f"only reads {time.monotonic()}")
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            assert wire.ask(server.port, wire.request()).status == 200, "it goes to the spool"
        finally:
            admin.execute("SET default_transaction_read_only = off")
            admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
            admin.execute("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 20
    while wire.ask(server.port, keyed[1]).status != 200:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("away", [gone, frozen])
def test_a_worker_that_starts_meanwhile_answers_with_what_answered_last(server, database, away):
    assert wire.ask(server.port, wire.request()).status == 200
    before = set(server.workers())
    with away(database):
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        while before & set(server.workers()):
            time.sleep(0.05)
        answers = [wire.ask(server.port, wire.request()) for _ in range(4)]
        assert [answer.status for answer in answers] == [200] * 4
    assert statuses(server) == USUAL


def test_it_stays_ready_as_predictions_are_recorded(server, database):
    ready = wire.request("/readyz", "GET", b"")
    assert wire.ask(server.port, ready).json["database"] == "up"
    with gone(database):
        time.sleep(2.1)  # a result is cached for two seconds
        answer = wire.ask(server.port, ready)
        assert answer.status == 200
        assert (answer.json["database"], answer.json["spool"]) == ("down", "writable")
        assert "127.0.0.1" not in answer.body.decode()


def test_idle_clients_hold_no_connection_to_it(server, database):
    """PostgreSQL has 100 connections; there may be many more clients that stay connected."""
    script = "from predictor.keys.models import ApiKey; [print(ApiKey.objects.create_key(name=str(n))[1]) for n in range(120)]"  # noqa: E501
    answers, clients = Counter(), []
    for key in manage(server.env, "shell", "--no-imports", "-c", script).split():
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        headers = {"X-API-Key": key, "Content-Type": "application/json"}
        for method, path, body in [("POST", "/api/predict", wire.GOOD), ("GET", "/readyz", None)]:
            client.request(method, path, body, headers)
            answer = client.getresponse()
            answer.read()
            answers[answer.status] += 1
        clients.append(client)
    with psycopg.connect(database.url) as asking:
        (held,) = asking.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle'"
        ).fetchone()
    for client in clients:
        client.close()
    assert answers == {200: 240}
    assert held < 20


def test_a_server_that_starts_without_it_answers_with_what_answered_last(tmp_path):
    models = tmp_path / "models"
    for seed, version in enumerate(("1.0.0", "1.1.0")):
        bundles.install(models, version=version, estimator=bundles.fitted(seed))
    with postgres() as gone_later:
        settings = {"DATABASE_URL": gone_later.url, "HTTPS": "false"}
        with batcomputer(tmp_path, models, **settings) as first:
            manage(first.env, "activate_model", "arkham", "1.0.0")
            deadline = time.monotonic() + 20
            while wire.ask(first.port, wire.request()).headers["X-Model-Version"] != "1.0.0":
                assert time.monotonic() < deadline
        gone_later.stop("immediate")
        with batcomputer(tmp_path, models, migrate=False, **settings) as second:
            answer = wire.ask(second.port, wire.request())
            assert (answer.status, answer.headers["X-Model-Version"]) == (200, "1.0.0")
            gone_later.start()
