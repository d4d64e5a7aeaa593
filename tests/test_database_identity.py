"""PostgreSQL without a password: it gets a token that Azure issues to the machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from django.db import OperationalError

from batcomputer.database import identity
from batcomputer.database.identity import NoTokenError, Token, Tokens
from tests import bundles, wire
from tests.deadlines import eventually
from tests.servers import batcomputer, postgres

OUTCOME = wire.request(
    "/api/predictions/01a21480-edfa-7c68-a3eb-fae452f81490/outcome", body=b'{"outcome": "jailed"}'
)
RESOURCE = "https://ossrdbms-aad.database.windows.net"


class Azure:
    """A stand-in for a token endpoint: it answers, and records requests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[dict] = []
        self.status, self.answer = 200, {"access_token": "one", "expires_in": 3600}


@contextmanager
def azure() -> Iterator[Azure]:
    """A stand-in on a loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length", 0))
            path = urlsplit(self.path)
            words = parse_qs(path.query) | parse_qs(self.rfile.read(length).decode())
            asked = {name: value for name, (value,) in words.items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            standing.asked.append({"path": path.path, **headers, **asked})
            self.send_response(standing.status)
            self.end_headers()
            answer = standing.answer
            self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

        do_POST = do_GET  # noqa: N815 - http.server's name

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    standing = Azure(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield standing
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def stand_in():
    with azure() as standing:
        yield standing


@pytest.fixture
def machine(stand_in, monkeypatch):
    """No variables of a machine, and a stand-in without requests."""
    for name in (
        "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_AUTHORITY_HOST",
        "IDENTITY_ENDPOINT", "IDENTITY_HEADER",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(identity, "MACHINE", f"{stand_in.url}/metadata/identity/oauth2/token")
    stand_in.asked.clear()
    stand_in.status, stand_in.answer = 200, {"access_token": "one", "expires_in": "3600"}
    return stand_in


def test_a_pod_shows_what_kubernetes_says_of_it(machine, monkeypatch, tmp_path):
    """Workload identity: the file is written again every hour, so it is read for each token."""
    proof = tmp_path / "azure-identity-token"
    for name, value in {
        "AZURE_FEDERATED_TOKEN_FILE": str(proof), "AZURE_CLIENT_ID": "client",
        "AZURE_TENANT_ID": "tenant", "AZURE_AUTHORITY_HOST": f"{machine.url}/",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    for said in ("first", "second"):
        proof.write_text(f"{said}\n")
        assert identity.ask().text == "one"
        asked = machine.asked.pop()
        assert asked["path"] == "/tenant/oauth2/v2.0/token"
        assert asked.items() >= {
            "grant_type": "client_credentials", "client_id": "client",
            "scope": f"{RESOURCE}/.default", "client_assertion": said,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }.items()  # fmt: skip


@pytest.mark.parametrize("client", ["client", ""])
def test_a_container_asks_the_address_that_is_only_its_own(machine, monkeypatch, client):
    monkeypatch.setenv("AZURE_CLIENT_ID", client)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # no proxy reaches that address
    assert identity.ask().text == "one"
    (asked,) = machine.asked
    assert asked["path"] == "/metadata/identity/oauth2/token"
    assert asked.items() >= {"metadata": "true", "resource": RESOURCE}.items()
    assert asked.get("client_id", "") == client


def test_an_app_asks_where_its_variables_say(machine, monkeypatch):
    """App Service and Container Apps; they say when the token ends, not how long it holds."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{machine.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "secret")
    machine.answer = {"access_token": "one", "expires_on": "4102444800"}
    assert identity.ask() == Token("one", 4102444800)
    (asked,) = machine.asked
    assert (asked["path"], asked["x-identity-header"]) == ("/msi/token", "secret")


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (400, {"error_description": "Identity\nnot found"}, "400 Identity not found"),
        (500, b"<html>", "500"),
        (200, b"<html>", "its answer has no token"),
        (200, [], "its answer has no token"),
        (200, {"access_token": "x", "expires_on": "soon"}, "its answer has no token"),
        (200, {"expires_on": "4102444800"}, "there is no access_token"),
    ],
)
def test_no_token_is_a_database_that_is_away(machine, status, answer, says):
    """So predictions wait in the spool, and /readyz names the database."""
    machine.status, machine.answer = status, answer
    with pytest.raises(OperationalError, match=f"no token for the database: {says}"):
        identity.ask()


def test_a_machine_without_an_identity_says_so(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(identity, "MACHINE", "http://127.0.0.1:1/token")
    with pytest.raises(NoTokenError, match="refused"):
        identity.ask()
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(NoTokenError, match="No such file"):
        identity.ask()
    (tmp_path / "none").write_text("there now")
    with pytest.raises(NoTokenError, match="AZURE_TENANT_ID"):
        identity.ask()


class Clock:
    """Tokens that hold for a thousand seconds, of a time that the test sets."""

    def __init__(self, monkeypatch):
        self.now, self.asked, self.refuses = 1_000_000.0, 0, False
        self.answers = threading.Event()
        self.answers.set()
        monkeypatch.setattr(identity, "time", SimpleNamespace(time=lambda: self.now))
        self.tokens = Tokens(self.ask)

    def ask(self):
        self.asked += 1
        assert self.answers.wait(60)
        if self.refuses:
            raise NoTokenError("it is away")
        return Token(f"token {self.asked}", self.now + 1000)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_all_connections_of_a_process_have_one_token(clock):
    assert {clock.tokens.current() for _ in range(100)} == {"token 1"}
    assert clock.asked == 1


def test_the_next_token_comes_before_the_last_one_ends(clock):
    """And no request waits for it."""
    clock.tokens.current()
    clock.now += 1000 - identity.EARLY + 1
    clock.answers.clear()
    assert {clock.tokens.current() for _ in range(10)} == {"token 1"}
    clock.answers.set()
    eventually(lambda: clock.tokens.current() == "token 2", 30)
    assert clock.asked == 2


def test_an_ended_token_is_never_sent(clock):
    clock.tokens.current()
    clock.now += 1000 - identity.LAST + 1
    assert clock.tokens.current() == "token 2"


def test_a_refusal_is_forgotten_when_the_clock_is_set_back(clock):
    clock.refuses = True
    with pytest.raises(NoTokenError):
        clock.tokens.current()
    clock.refuses = False
    clock.now -= 3600
    assert clock.tokens.current() == "token 2"


def test_while_azure_is_away_the_last_token_holds_to_its_end(clock):
    clock.tokens.current()
    clock.refuses = True
    clock.now += 1000 - identity.EARLY + 1
    clock.tokens.current()
    eventually(lambda: clock.asked == 2, 30)
    assert clock.tokens.current() == "token 1"
    clock.now += identity.EARLY
    with pytest.raises(NoTokenError, match="it is away"):
        clock.tokens.current()


def test_many_callers_do_not_wait_one_after_the_other(clock):
    """Azure that is silent costs each attempt seconds: those who waited get the same answer."""
    clock.refuses = True
    for _ in range(5):
        with pytest.raises(NoTokenError, match="it is away"):
            clock.tokens.current()
    assert clock.asked == 1
    clock.refuses = False
    clock.now += identity.PAUSE + 1
    assert clock.tokens.current() == "token 2"


@pytest.mark.slow
def test_both_connections_of_a_server_show_the_token(tmp_path):
    """Django's and the log's connections to a PostgreSQL that accepts only that token."""
    bundles.install(tmp_path / "models")
    with azure() as standing, postgres() as database:
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE machine SUPERUSER LOGIN PASSWORD 'one'")
        access = database.folder / "data/pg_hba.conf"
        access.write_text(f"host all machine all scram-sha-256\n{access.read_text()}")
        with psycopg.connect(database.url) as connection:
            connection.execute("SELECT pg_reload_conf()")
        given = {
            "DATABASE_URL": database.url.replace("postgres@", "machine@"),
            "DATABASE_PASSWORD_FROM": "azure", "IDENTITY_ENDPOINT": f"{standing.url}/token",
            "PREDICTION_LOG": "required", "WEB_CONCURRENCY": "1",
        }  # fmt: skip
        with batcomputer(tmp_path, tmp_path / "models", **given) as server:
            standing.asked.clear()
            for _ in range(20):
                assert wire.ask(server.port, wire.request()).status == 200  # the log's
                assert wire.ask(server.port, OUTCOME).status == 404  # Django's
            assert not standing.asked, "a token holds for many connections"
            with psycopg.connect(database.url, autocommit=True) as connection:
                (rows,) = connection.execute("SELECT count(*) FROM predictor_prediction").fetchone()
                connection.execute("ALTER ROLE machine PASSWORD 'another'")
            assert rows == 20
            assert wire.ask(server.port, OUTCOME).status == 503, "PostgreSQL asks for it each time"
