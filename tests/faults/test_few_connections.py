"""A database with few connections: all that need one have their turn, and rows are recorded."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait

import psycopg
import pytest

from tests import bundles, wire
from tests.lengths import length
from tests.servers import batcomputer, manage, postgres

pytestmark = pytest.mark.slow

CLIENTS, ROUNDS = length(12, 40), 24  # with 40, a slow machine lets some wait longer than allowed


@pytest.fixture(scope="module")
def scarce(tmp_path_factory):
    """A server of two workers on a PostgreSQL of 14 connections."""
    folder = tmp_path_factory.mktemp("scarce")
    bundles.install(folder / "models")
    with postgres() as database:
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET max_connections = 14")
        database.stop()
        database.start()
        with batcomputer(
            folder, folder / "models", DATABASE_URL=database.url, HTTPS="false"
        ) as server:
            yield server


def test_everything_has_its_turn(scarce):
    report = json.dumps({"outcome": "jailed"}).encode()

    def requests():
        made = wire.ask(scarce.port, wire.request()).headers["X-Prediction-Id"]
        return {
            "predict": wire.request(),
            "outcome": wire.request(f"/api/predictions/{made}/outcome", body=report),
            "readyz": wire.request("/readyz", "GET", b""),
            "admin": wire.request("/admin/login/", "GET", b""),
        }

    def client(number):
        kinds = list(asked[number])
        for turn in range(ROUNDS):
            kind = kinds[(number + turn) % len(kinds)]
            yield kind, wire.ask(scarce.port, asked[number][kind]).status

    asked = [requests() for _ in range(CLIENTS)]
    for request in [*asked[0].values()] * 4:  # a worker's first answer of a kind takes longer
        wire.ask(scarce.port, request)
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = [
            one for many in clients.map(lambda n: list(client(n)), range(CLIENTS)) for one in many
        ]
    counted = Counter(answers)
    assert {status for _, status in counted} == {200}, _complaints(scarce)
    assert sum(counted.values()) == CLIENTS * ROUNDS
    assert not list(scarce.log.parent.glob("spool/*.jsonl")), "the writer had its connection"


def _complaints(server):
    lines = server.log.read_text().splitlines()
    return "\n".join(line for line in lines if '"ERROR"' in line or '"WARNING"' in line)[-3000:]


def test_a_place_is_given_back_after_an_error(scarce):
    """As often as there are places, and once more."""
    for _ in range(12):
        wrong = wire.request("/api/predictions/01a21480-edfa-7c68-a3eb-fae452f81490/outcome",
                             body=b'{"outcome": "jailed"}')  # fmt: skip
        assert wire.ask(scarce.port, wrong).status == 404


def test_who_waits_too_long_is_asked_to_come_back(scarce):
    with psycopg.connect(scarce.env["DATABASE_URL"]) as holder, ThreadPoolExecutor(12) as clients:
        holder.execute("LOCK TABLE predictor_outcome IN ACCESS EXCLUSIVE MODE")
        made = wire.ask(scarce.port, wire.request()).headers["X-Prediction-Id"]
        body = json.dumps({"outcome": "jailed"}).encode()
        ask = wire.request(f"/api/predictions/{made}/outcome", body=body)
        asked = [clients.submit(wire.ask, scarce.port, ask) for _ in range(12)]
        refused, _ = wait(asked, timeout=6)
        assert wire.ask(scarce.port, wire.request()).status == 200  # the writer needs no place
        holder.rollback()
        assert refused, "those beyond the places are refused, not left to wait"
        assert {one.result().status for one in refused} == {503}
        assert {one.result().headers["Retry-After"] for one in refused} == {"1"}
        assert {one.result().status for one in asked} <= {200, 503}
        assert wire.ask(scarce.port, ask).status == 200


def test_a_command_needs_no_more(scarce):
    assert "No migrations to apply" in manage(scarce.env, "migrate")
