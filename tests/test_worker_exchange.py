"""The worker's own environ and answer are what gunicorn's own would be."""

import pytest
from gunicorn.config import Config
from gunicorn.http.wsgi import Response, create

from batcomputer.worker.exchange import Environs, WorkerResponse
from batcomputer.worker.requests import Requests
from tests import wire

SERVER, CLIENT = ("127.0.0.1", 8000), ("203.0.113.9", 4711)
PLAIN = [("Content-Type", "application/json"), ("X-Request-Id", "a"), ("Content-Length", "4")]


class Wire:
    """A socket that delivers pieces, and records the bytes sent."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.sends = []

    def recv(self, _size):
        return self.pieces.pop(0) if self.pieces else b""

    def sendall(self, data):
        self.sends.append(data)


def parsed(raw):
    return next(Requests(Config(), Wire(raw), CLIENT))


def without_gunicorn_s_own(environ):
    return {k: v for k, v in environ.items() if k not in ("wsgi.errors", "wsgi.early_hints")}


REQUESTS = {
    "plain": wire.request(),
    "query": wire.request("/api/predict?details=true&x=%20y"),
    "odd path": wire.request("/a%2Fb//c%E2%82%AC;d/../e%00?#f"),
    "absolute": wire.request("http://127.0.0.1/api/predict?x"),
    "no path": wire.request("*", "OPTIONS", b""),
    "repeated": wire.request(X_Reference="a\r\nX-Reference: b\r\nx-reference: c"),
    "underscore": wire.request(X_Key="1\r\nX_Key: 2"),
    "names of environ": wire.request(Script_Name="/x", Remote_Addr="1.2.3.4", Path_Info="/y"),
    "not ASCII": wire.request(X_Reference="H\xe9l\xe8ne"),
    "HTTP/1.0": wire.request().replace(b"HTTP/1.1", b"HTTP/1.0"),
    "no length": wire.request(body=b"", Content_Length=None),
}


@pytest.mark.parametrize("raw", REQUESTS.values(), ids=REQUESTS)
def test_an_environ_is_gunicorn_s_own(raw):
    request, sock = parsed(raw), Wire()
    theirs = create(request, sock, CLIENT, SERVER, Config())[1] | {"wsgi.multithread": True}
    ours = Environs(Config()).of(request, sock, CLIENT, SERVER)
    assert without_gunicorn_s_own(ours) == without_gunicorn_s_own(theirs)


@pytest.mark.parametrize("raw", REQUESTS.values(), ids=REQUESTS)
def test_a_head_that_comes_again_has_the_environ_it_would_have_alone(raw):
    longer = raw.replace(b"Content-Length: ", b"Content-Length: 1", 1) + b"x" * 100
    requests, environs = Requests(Config(), Wire(raw, longer), CLIENT), Environs(Config())
    first = environs.of(next(requests), None, CLIENT, SERVER)
    first["REMOTE_ADDR"] = "changed by a middleware"
    first["wsgi.input"].read()
    ours = environs.of(next(requests), None, CLIENT, SERVER)
    request = parsed(longer)
    theirs = create(request, None, CLIENT, SERVER, Config())[1] | {"wsgi.multithread": True}
    body, alone = (environ.pop("wsgi.input").read() for environ in (ours, theirs))
    assert body == alone
    assert without_gunicorn_s_own(ours) == without_gunicorn_s_own(theirs)


@pytest.mark.parametrize(
    ("client", "server", "below"),
    [("", "/run/bat.sock", ""), (CLIENT, SERVER, "/api"), (("2001:db8::1", 1, 0, 0), SERVER, "")],
    ids=["socket", "below a path", "IPv6"],
)
def test_so_it_is_where_gunicorn_listens_otherwise(monkeypatch, client, server, below):
    monkeypatch.setenv("SCRIPT_NAME", below)
    request, sock = parsed(wire.request()), Wire()
    theirs = create(request, sock, client, server, Config())[1] | {"wsgi.multithread": True}
    ours = Environs(Config()).of(request, sock, client, server)
    assert without_gunicorn_s_own(ours) == without_gunicorn_s_own(theirs)


ANSWERS = {
    "whole": ("200 OK", PLAIN, [b"true"]),
    "refused": ("404 Not Found", PLAIN, [b"true"]),
    "in parts": ("200 OK", PLAIN, [b"tr", b"ue"]),
    "too much": ("200 OK", PLAIN, [b"true", b"true"]),
    "streamed": ("200 OK", [("Content-Type", "text/csv")], [b"a\r\n", b"", b"b\r\n"]),
    "no body": ("204 No Content", [("Content-Type", "text/plain"), ("Content-Length", "0")], [b""]),
    "not modified": ("304 Not Modified", [("Content-Length", "4")], []),
    "empty": ("200 OK", [("Content-Length", "0")], [b""]),
    "a cookie": ("200 OK", [*PLAIN, ("Set-Cookie", "a=b"), ("Set-Cookie", "c=d")], [b"true"]),
    "hop by hop": ("200 OK", [*PLAIN, ("Connection", "close")], [b"true"]),
    "not ASCII": ("200 OK", [*PLAIN, ("X-Model-Version", "\xe9")], [b"true"]),
}


def sent(kind, raw, status, headers, pieces):
    request, sock = parsed(raw), Wire()
    answer = kind(request, sock, Config())
    answer.start_response(status, list(headers))
    for piece in pieces:
        answer.write(piece)
    answer.close()
    return sock.sends, answer.should_close(), answer.headers_sent


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize(
    "raw",
    [
        wire.request(),
        wire.request(Connection=None),
        wire.request().replace(b"HTTP/1.1", b"HTTP/1.0"),
        wire.request(method="HEAD", body=b""),
    ],
    ids=["close", "keep-alive", "HTTP/1.0", "HEAD"],
)
def test_an_answer_is_gunicorn_s_own(monkeypatch, raw, answer):
    date = "Fri, 27 Nov 2026 12:00:00 GMT"
    monkeypatch.setattr("gunicorn.util.http_date", lambda: date)
    monkeypatch.setattr("batcomputer.worker.exchange._date", lambda _: date)
    theirs, ours = sent(Response, raw, *answer), sent(WorkerResponse, raw, *answer)
    assert b"".join(ours[0]) == b"".join(theirs[0])
    assert ours[1:] == theirs[1:]


def test_what_is_whole_leaves_in_one_send():
    sends, *_ = sent(WorkerResponse, wire.request(), *ANSWERS["whole"])
    assert len(sends) == 1


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "a\x7fb"])
def test_no_value_begins_another_header(value):
    with pytest.raises(Exception, match="X-Request-Id"):
        sent(WorkerResponse, wire.request(), "200 OK", [("X-Request-Id", value)], [])
