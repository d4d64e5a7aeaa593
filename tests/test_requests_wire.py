"""The server and what no HTTP client would send: raw bytes over a socket."""

import contextlib
import http.client
import re
import socket
import threading
import time
from functools import partial

import pytest

from tests import bundles, wire
from tests.servers import batcomputer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wire")
    bundles.install(folder / "models")
    with batcomputer(folder, folder / "models") as running:
        yield running


@pytest.fixture
def port(server):
    """Every test leaves a server that still answers, and no traceback in its log."""
    yield server.port
    assert wire.ask(server.port, wire.request()).status == 200
    assert "Traceback" not in server.log.read_text()


def check_problem(answer, status):
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["title"]
    assert answer.json["detail"]


def test_it_works(port):
    answer = wire.ask(port, wire.request())
    assert answer.status == 200
    assert list(answer.json) == bundles.FLAGS


CHUNKED = {"Transfer_Encoding": "chunked", "Content_Length": None}


def chunks(*parts):
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])


def test_it_reads_chunks(port):
    body = chunks(wire.GOOD[:7], wire.GOOD[7:])
    assert wire.ask(port, wire.request(body=body, **CHUNKED)).status == 200


def test_what_follows_a_request_is_another_request(port):
    """None is smuggled in: the body ends where its length or its last chunk says."""
    chunked = wire.request(body=chunks(wire.GOOD), **CHUNKED, Connection=None)
    answer = wire.ask(port, chunked + wire.request("/api/none", "GET", b""))
    assert b"HTTP/1.1 404 " in answer.body
    answer = wire.ask(port, wire.request(Connection=None) + b"what?\r\n\r\n" + wire.request())
    assert answer.body.count(b"HTTP/1.1 ") == 1
    assert b"HTTP/1.1 400 " in answer.body


@pytest.mark.parametrize(
    "raw",
    [
        wire.request(Content_Length="500"),
        wire.request(body=chunks(wire.GOOD)[:-5], **CHUNKED),
    ],
    ids=["length", "chunks"],
)
def test_it_tells_a_client_that_stops_too_soon(port, raw):
    with wire.connect(port) as client:
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        answer = wire.read(client)
    check_problem(answer, 400)
    assert answer.json["detail"] == "the request ended before its body did"


def test_it_reads_a_request_in_small_pieces(port):
    with wire.connect(port) as client:
        raw = wire.request()
        for at in range(0, len(raw), 16):
            client.sendall(raw[at : at + 16])
            time.sleep(0.002)
        assert wire.read(client).status == 200


def test_it_keeps_a_connection_for_several_requests(port):
    raw = wire.request(Connection=None) + wire.request("/api/info", "GET", b"", Connection=None)
    answer = wire.ask(port, raw + wire.request(body=b"{}"))
    assert answer.body.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 400" in answer.body


def check_next(client, raw):
    """The connection goes on: its next request is answered, too."""
    client.sendall(raw)
    answer = http.client.HTTPResponse(client)
    answer.begin()
    assert answer.status == 200
    answer.read()


def test_a_quick_client_leaves_the_others_their_turn(port):
    """Its pipelined requests do not precede the requests of others."""
    asked, many, received = wire.request("/healthz", "GET", b"", Connection=None), 5_000, []
    with contextlib.ExitStack() as open_ones:
        quick, *others = (open_ones.enter_context(wire.connect(port)) for _ in range(9))
        for client in others:  # each is with a worker
            check_next(client, asked)
        sending = threading.Thread(target=quick.sendall, args=[asked * many])
        reading = threading.Thread(
            target=lambda: received.extend(iter(partial(quick.recv, 65536), b""))
        )
        sending.start()
        reading.start()
        for client in others:
            check_next(client, asked)
        answered = b"".join(received).count(b"HTTP/1.1 200 ")
        sending.join()
        quick.shutdown(socket.SHUT_WR)
        reading.join()
    assert answered < many / 2
    assert b"".join(received).count(b"HTTP/1.1 200 ") == many


def test_it_invites_a_large_body(port):
    with wire.connect(port) as client:
        head, body = wire.request(Expect="100-continue").split(b"\r\n\r\n")
        client.sendall(head + b"\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert wire.read(client).status == 200


def test_it_refuses_a_too_large_body_before_it_comes(port):
    raw = wire.request(body=b"", Content_Length="50000000", Expect="100-continue")
    answer = wire.ask(port, raw)
    check_problem(answer, 413)
    assert answer.seconds < 5


def test_it_tells_a_client_that_sends_50_mb_anyway(port):
    check_problem(wire.ask(port, wire.request(body=b" " * 50_000_000)), 413)


def test_it_refuses_too_many_chunks(port):
    body = chunks(*[b" " * 65536] * 40)
    check_problem(wire.ask(port, wire.request(body=body, **CHUNKED)), 413)


MALFORMED = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "no host": (wire.request(Host=None), 400),
    "two hosts": (wire.request(host="evil.example"), 400),
    "two lengths": (wire.request(content_length="1"), 400),
    "length is no number": (wire.request(Content_Length="ten"), 400),
    "negative length": (wire.request(Content_Length="-1"), 400),
    "length and chunks": (wire.request(body=chunks(wire.GOOD), Transfer_Encoding="chunked"), 400),
    "chunk size is no number": (wire.request(body=b"zz\r\n{}\r\n0\r\n\r\n", **CHUNKED), 400),
    "unknown expectation": (wire.request(Expect="miracles"), 417),
    "long request line": (wire.request("/" + "a" * 9000), 414),
    "large header": (wire.request(X_Reference="a" * 9000), 431),
    "header flood": (wire.request(**{f"X_{n}": "a" for n in range(200)}), 431),
    "large header flood": (wire.request(**{f"X_{n}": "a" * 8000 for n in range(60)}), 431),
    "control character in a header": (wire.request(X_Reference="a\x00b"), 400),
    "folded header": (wire.request(X_Reference="a\r\n b"), 400),
    "space in a header's name": (wire.request(**{"X Reference": "a"}), 400),
    "more codings than one": (
        wire.request(body=chunks(wire.GOOD), **CHUNKED | {"Transfer_Encoding": "gzip, chunked"}),
        501,
    ),
    "chunks in HTTP/1.0": (
        wire.request(body=chunks(wire.GOOD), **CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
        400,
    ),
    "a length in a trailer": (
        wire.request(body=chunks(wire.GOOD)[:-2] + b"Content-Length: 3\r\n\r\n", **CHUNKED),
        400,
    ),
    "trailer flood": (
        wire.request(body=chunks(wire.GOOD)[:-2] + b"X-T: 1\r\n" * 9000 + b"\r\n", **CHUNKED),
        431,
    ),
    "signed chunk size": (wire.request(body=b"+2\r\n{}\r\n0\r\n\r\n", **CHUNKED), 400),
    "signed length": (wire.request(Content_Length="+2", body=b"{}"), 400),
    "list of lengths": (wire.request(Content_Length="2, 2", body=b"{}"), 400),
    "target of another host": (wire.request("http://evil.example/api/predict"), 400),
    "carriage return in a header": (wire.request(X_Reference="a\rb"), 400),
    "endless request line": (b"G" * 70_000, 414),
    "bare line feeds": (wire.request().replace(b"\r\n", b"\n"), 400),
    "lower case method": (wire.request(method="post"), 400),
    "HTTP/3.0": (wire.request().replace(b"HTTP/1.1", b"HTTP/3.0"), 400),
    "host of another site": (wire.request(Host="evil.example"), 400),
    "host with a path": (wire.request(Host="127.0.0.1/../"), 400),
}


@pytest.mark.parametrize(("raw", "status"), MALFORMED.values(), ids=MALFORMED)
def test_it_refuses_malformed_requests(port, raw, status):
    check_problem(wire.ask(port, raw), status)


NAMES = ["../arkham", "..%2farkham", "%2e%2e", "%00", "arkham%00", "%2f%2fhost", "a" * 65, "-a"]


@pytest.mark.parametrize("name", NAMES)
def test_it_refuses_names_that_walk(port, name):
    check_problem(wire.ask(port, wire.request(f"/api/models/{name}/predict")), 404)


@pytest.mark.parametrize("target", ["//evil.example/%2e%2e", "/%2f%2fevil.example", "/..%2f..%2f"])
def test_it_never_leads_elsewhere(port, target):
    answer = wire.ask(port, wire.request(target, "GET", b""))
    assert answer.status == 404
    assert "Location" not in answer.headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_come_by_address(port, path):
    assert wire.ask(port, wire.request(path, "GET", b"", Host="10.1.2.3:8000")).status == 200
    check_problem(wire.ask(port, wire.request(path)), 405)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE", "FOO", "HEAD"])
def test_it_names_the_methods_there_are(port, method):
    answer = wire.ask(port, wire.request(method=method, X_HTTP_Method_Override="POST"))
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"


def test_it_ignores_other_ways_to_name_a_method(port):
    raw = wire.request(
        X_HTTP_Method_Override="DELETE", X_HTTP_Method="PUT", X_Method_Override="GET"
    )
    assert wire.ask(port, raw).status == 200


def test_head_is_a_get_without_its_body(port):
    answers = [wire.ask(port, wire.request("/api/info", m, b"")) for m in ("GET", "HEAD")]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[1].body == b""
    assert answers[0].headers["Content-Length"] == answers[1].headers["Content-Length"]


def test_head_is_no_event(server, port):
    """A probe that asks with HEAD leaves no line in the log each time."""
    for target in ("/", "/healthz", "/api/info", "/api/none", "/api/predict"):
        wire.ask(port, wire.request(target, "HEAD", b""))
    assert "no-body" not in server.log.read_text()


def static_file(port):
    page = wire.ask(port, wire.request("/", "GET", b"")).body.decode()
    return re.search(r'"(/static/[^"]+\.css)"', page).group(1)


def test_a_file_the_browser_has_is_not_sent_again(port):
    path = static_file(port)
    first = wire.ask(port, wire.request(path, "GET", b""))
    assert first.status == 200
    known = {"If_Modified_Since": first.headers["Last-Modified"]}
    again = wire.ask(port, wire.request(path, "GET", b"", **known))
    assert (again.status, again.body) == (304, b"")
    assert "default-src 'none'" in again.headers["Content-Security-Policy"]


def test_files_are_only_read(port):
    path = static_file(port)
    assert wire.ask(port, wire.request(path)).status == 405
    beyond = wire.request(path, "GET", b"", Range="bytes=99999999-")
    assert wire.ask(port, beyond).status == 416


def test_a_path_begins_no_line_of_the_log(server, port):
    wire.ask(port, wire.request("/%0d%0aERROR%20all%20is%20lost", "GET", b""))
    assert "\nERROR all" not in server.log.read_text()


def test_a_client_may_leave_early(port):
    for at in (1, 40, 150, None):
        client = wire.connect(port)
        client.sendall(wire.request()[:at])
        client.close()


def test_slow_clients_keep_nobody_waiting(port):
    """100 clients hold half a request each, one sends byte after byte: a good request is quick."""
    head, body = wire.request().split(b"\r\n\r\n")
    halves = [b"POST /api/pre", head + b"\r\n", head + b"\r\n\r\n" + body[:9]]
    held = [wire.connect(port) for _ in range(100)]
    for number, client in enumerate(held):
        client.sendall(halves[number % len(halves)])
    with wire.connect(port) as trickling:
        started = time.monotonic()
        answer_of_trickling = None
        for byte in wire.request(Content_Length="500"):
            try:
                trickling.send(bytes([byte]))
            except (BrokenPipeError, ConnectionResetError):
                break
            answer = wire.ask(port, wire.request())
            assert answer.status == 200
            assert answer.seconds < 1
            trickling.settimeout(0.2)
            try:
                answer_of_trickling = trickling.recv(1000)
                break
            except TimeoutError:
                assert time.monotonic() - started < 15, "the server still waits"
        assert answer_of_trickling.startswith(b"HTTP/1.1 408 ")
    for client in held:
        check_problem(wire.read(client), 408)
        client.close()


def test_a_chunk_without_end_is_refused_at_once(server):
    head = wire.request(Content_Length=None, Transfer_Encoding="chunked", body=b"")
    answer = wire.ask(server.port, head + b"10000000000000000\r\n{")
    assert answer.status == 413
    assert answer.seconds < 2


def test_a_later_version_is_answered_as_http_1_1(server):
    raw = wire.request().replace(b"HTTP/1.1", b"HTTP/1.9")
    with wire.connect(server.port) as client:
        client.sendall(raw)
        assert client.recv(12) == b"HTTP/1.1 200"


def test_one_address_cannot_hold_every_connection(tmp_path):
    bundles.install(tmp_path / "models")
    settings = {"CONNECTIONS_PER_ADDRESS": "20", "WEB_CONCURRENCY": "1"}
    with (
        batcomputer(tmp_path, tmp_path / "models", **settings) as few,
        contextlib.ExitStack() as held,
    ):
        idle = [held.enter_context(wire.connect(few.port)) for _ in range(20)]
        answer = wire.ask(few.port, wire.request())
        assert answer.status == 503
        assert "your address has too many open connections" in answer.json["detail"]
        idle[0].close()
        time.sleep(0.5)
        assert wire.ask(few.port, wire.request()).status == 200
