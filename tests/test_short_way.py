"""The short path of predictions through Django gives the same answers as the long one."""

import contextlib
import io
import json

import pytest
from django.http import BadHeaderError, HttpResponse
from django.test import RequestFactory

from predictor.http.short_way import PlainAnswer, ShortWay
from predictor.models import Prediction
from tests.bundles import ITEM
from tests.sweeps import swept

pytestmark = pytest.mark.django_db
BODY = json.dumps(ITEM).encode()


class _Answer:
    """Handle a response like a WSGI server."""

    def __init__(self, pieces):
        self.pieces = pieces

    def close(self):
        if hasattr(self.pieces, "close"):
            self.pieces.close()


@pytest.fixture
def short_way():
    handler = ShortWay(None)

    def ask(path="/api/predict", body=BODY, method="POST", query="", **headers):
        meta = {name.upper().replace("-", "_"): value for name, value in headers.items()}
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SCRIPT_NAME": "",
            "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http", "SERVER_NAME": "testserver", "SERVER_PORT": "80",
            "HTTP_HOST": "testserver", "REMOTE_ADDR": "127.0.0.1", **meta,
        }  # fmt: skip
        begun = []
        with contextlib.closing(_Answer(handler(environ, lambda *a: begun.extend(a)))) as answer:
            content = b"".join(answer.pieces)
        return int(begun[0].split()[0]), dict(begun[1]), content

    return ask


OF_ITS_OWN = ("X-Prediction-Id", "X-Request-Id")  # of each request
FOR_PAGES = (
    "Content-Language",
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "Vary",
    "X-Content-Type-Options",  # the short way has it always: test_it_works
    "X-Frame-Options",
)


def shown(headers, status):
    """The headers, but those of pages, and of two that no other answer has only that they are."""
    no_rule = FOR_PAGES if status == 405 else (*FOR_PAGES, "Allow")  # REST framework's addition
    return {
        name: name if name in OF_ITS_OWN else value
        for name, value in headers.items()
        if name not in no_rule
    }


@pytest.fixture
def both_ways(short_way, client):
    """Ask on both ways; the answers, without what differs between any two requests."""

    def ask(path="/api/predict", body=BODY, method="POST", query="", **headers):
        status, given, content = short_way(path, body, method, query, **headers)
        content_type = headers.pop("CONTENT_TYPE")
        url = f"{path}?{query}" if query else path
        long = client.generic(method, url, body, content_type, **headers)
        return (status, shown(given, status), content), (
            long.status_code, shown(long.headers, status), long.getvalue(),
        )  # fmt: skip

    return ask


JSON = {"CONTENT_TYPE": "application/json"}
CASES = {
    "item": JSON,
    "array": JSON | {"body": b"[%s, %s]" % (BODY, BODY)},
    "model by name": JSON | {"path": "/api/models/arkham/predict"},
    "details": JSON | {"query": "details=true"},
    "odd accept": JSON | {"HTTP_ACCEPT": "text/html, */*;q=0.1"},
    "csv": {"CONTENT_TYPE": "text/csv", "body": b"city,villain,hour\r\nGotham,Joker,3\r\n"},
    "wrong label": JSON | {"body": BODY.replace(b"Joker", b"Jokr")},
    "wrong array": JSON | {"body": b"[%s, 1]" % BODY},
    "empty array": JSON | {"body": b"[]"},
    "no json": JSON | {"body": b"{"},
    "key twice": JSON | {"body": b'{"a": 1, "a": 2}'},
    "no such model": JSON | {"path": "/api/models/gotham/predict"},
    "no such name": JSON | {"path": "/api/models/../predict"},
    "form": {"CONTENT_TYPE": "application/x-www-form-urlencoded"},
    "charset": {"CONTENT_TYPE": "application/json; charset=utf-8"},
    "odd charset": {"CONTENT_TYPE": "application/json; charset=latin1"},
    "details of nothing": JSON | {"query": "details=maybe"},
    "compressed": JSON | {"HTTP_CONTENT_ENCODING": "gzip"},
    "csv for json": JSON | {"HTTP_ACCEPT": "text/csv"},
    "get": JSON | {"method": "GET", "body": b""},
    "options": JSON | {"method": "OPTIONS", "body": b""},
    "strange method": JSON | {"method": "BREW"},
    "foreign host": JSON | {"HTTP_HOST": "evil.example"},
    "too large": JSON | {"body": b"[" * (2 * 2**20 + 1)},
    "its own request id": JSON | {"HTTP_X_REQUEST_ID": "bat-1"},
    "an odd request id": JSON | {"HTTP_X_REQUEST_ID": "bat 1\r\n"},
    "a trace": JSON | {"HTTP_TRACEPARENT": f"00-{'a' * 32}-{'b' * 16}-01"},
    "a reference": JSON | {"HTTP_X_REFERENCE": "H\xc3\xa9l\xc3\xa8ne"},
    "too long a reference": JSON | {"HTTP_X_REFERENCE": "x" * 201},
    "ids": JSON | {"query": "ids=maybe"},
    "a field of reference": JSON | {"query": "reference=case"},
    "asked twice": JSON | {"query": "details=true&details=true"},
    "no UTF-8": JSON | {"body": b'{"city": "\xff"}'},
    "a byte order mark": JSON | {"body": b"\xef\xbb\xbf" + BODY},
    "blank": JSON | {"body": b"  "},
    "an unknown proxy": JSON | {"HTTP_X_FORWARDED_FOR": "1.2.3.4", "HTTP_FORWARDED": "for=x"},
    "two slashes": JSON | {"path": "/api//predict"},
    "unknown key": JSON | {"HTTP_X_API_KEY": "nobody.knows"},
}


def test_it_works(arkham, short_way):
    status, headers, content = short_way(**JSON)
    assert status == 200
    row = Prediction.objects.get()
    assert row.id.hex == headers["X-Prediction-Id"].replace("-", "")
    assert headers["X-Model-Version"] == "1.0.0"
    assert headers["Content-Length"] == str(len(content))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Request-Id"]
    assert row.scores == json.loads(content)


@pytest.mark.parametrize("case", swept(CASES, 9))
def test_it_answers_as_the_long_way_does(arkham, both_ways, case):
    short, long = both_ways(**case)
    assert short == long


def test_it_says_that_an_empty_body_is_empty(arkham, short_way):
    status, _, content = short_way(body=b"", **JSON)
    assert (status, json.loads(content)["detail"]) == (400, "the body is empty; send JSON or CSV")


@pytest.mark.parametrize(
    ("path", "is_short"),
    {
        "/api/predict": True,
        "/api/models/arkham/predict": True,
        "/api/predict/params": False,
        "/predict": False,
        "/": False,
    }.items(),
)
def test_only_predictions_take_it(arkham, path, is_short):
    asked = []
    application = ShortWay(lambda environ, start: asked.append(path) or [])
    environ = RequestFactory().post(path, ITEM, "application/json").environ
    list(application(environ, lambda *_: None))
    assert asked == ([] if is_short else [path])


def test_an_answer_is_django_s_own_in_all_but_how_it_is_made():
    headers = {"X-Prediction-Id": "1", "X-Model-Version": "é"}
    ours = PlainAnswer(b"{}", headers)
    theirs = HttpResponse(b"{}", headers={"Content-Type": "application/json"} | headers)
    for response in (ours, theirs):
        response["X-Request-Id"] = "ü"
        response.headers["x-prediction-id"] = "2"
    assert bytes(ours) == bytes(theirs)
    assert vars(ours).keys() == vars(theirs).keys()
    assert (ours.status_code, ours.reason_phrase) == (200, "OK")
    with pytest.raises(BadHeaderError):
        ours["X-Request-Id"] = "a\r\nX-Evil: 1"
