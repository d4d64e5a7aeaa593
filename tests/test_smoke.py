"""The smoke test itself: right answers pass, wrong ones are named."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from batcomputer import save_model, smoke, smoke_checks
from tests import bundles
from tests.servers import batcomputer, free_port, manage, server_env

pytestmark = pytest.mark.slow


class Service(BaseHTTPRequestHandler):
    """Answers as the Batcomputer does, from the table of the test."""

    answers: dict = {}

    def do_GET(self):
        status, kind, body = self.answers.get(self.path, (404, "text/plain", "nothing here"))
        data = body if isinstance(body, str) else json.dumps(body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("X-Model-Version", "1.0.0")
        self.send_header("X-Prediction-Id", "0199")
        self.end_headers()
        self.wfile.write(data.encode())

    def do_POST(self):
        type(self).key = self.headers["X-API-Key"]
        length = int(self.headers["Content-Length"])
        type(self).asked = json.loads(self.rfile.read(length))
        self.do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def answers(monkeypatch, client, db, arkham):
    """The real server's response to each request, for tests to modify."""

    def get(path):
        reply = client.get(path)
        return (reply.status_code, reply["Content-Type"], reply.content.decode())

    paths = ["/readyz", "/api/info", "/api/docs", "/swagger.json", "/api/predict/params", "/"]
    table = {path: get(path) for path in [*paths, "/api/models", "/api/models/arkham/info"]}
    predicted = client.post("/api/predict", bundles.ITEM, content_type="application/json")
    table["/api/models/arkham/predict"] = (200, "application/json", predicted.json())
    monkeypatch.setattr(Service, "answers", table)
    return table


@pytest.fixture
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_it_works(answers, url, capsys, monkeypatch):
    monkeypatch.setenv("SMOKE_API_KEY", "gotham")
    assert smoke.main([url, "--expect", "arkham=1.0.0"]) == 0
    said = capsys.readouterr().out
    assert said.count("\nok") + said.startswith("ok") == 7
    assert "version 1.0.0, on record as 0199" in said
    assert Service.asked == {"city": "Gotham", "villain": "Joker", "hour": 0}
    assert Service.key == "gotham"


def test_it_asks_a_model_of_texts_switches_and_gaps(models_dir, client, db):
    """The document does not enumerate the labels of an open choice, and a text has no bounds."""
    rows = pd.DataFrame({
        "subject": ["too small", "thank you", "too big"] * 4,
        "channel": ["phone", "e-mail", None] * 4,
        "age": [30.0, None, 50.0] * 4,
        "member": [True, False, False] * 4,
    })  # fmt: skip
    encoded = make_pipeline(SimpleImputer(strategy="most_frequent"),
                            OneHotEncoder(handle_unknown="ignore"))  # fmt: skip
    columns = make_column_transformer(
        (TfidfVectorizer(), "subject"), (encoded, ["channel"]), (SimpleImputer(), ["age"]),
        remainder="passthrough",
    )  # fmt: skip
    returned = ["yes", "no", "yes"] * 4
    model = make_pipeline(columns, LogisticRegression()).fit(rows, returned)
    save_model(model, models_dir / "returns" / "1.0.0", data=rows)

    class Asked:
        def ask(self, path, body=None):
            post = {"data": body, "content_type": "application/json"}
            reply = client.get(path) if body is None else client.post(path, **post)
            assert reply.status_code == 200, reply.content
            return smoke_checks.Response("application/json", reply.headers, reply.content)

    found = dict(smoke_checks.checks(Asked(), {}))["prediction of returns"]()
    assert found.startswith("version 1.0.0, on record as ")


SPOILT = {
    "an error": ("/api/info", (500, "text/html", "Server Error"), "/api/info: 500"),
    "a dead model": ("/api/info", (200, "application/json", {"status": "dead"}), "not alive"),
    "no JSON": ("/api/predict/params", (200, "application/json", "<p>"), "params: not JSON"),
    "another page": ("/", (200, "text/html", "<h1>It works!</h1>"), "/: text/html without"),
    "no document": ("/swagger.json", (200, "application/json", {}), "not an OpenAPI 3 document"),
    "other scores": ("/api/models/arkham/predict", (200, "application/json", {"a": 1}), "answered"),
    "no number": (
        "/api/models/arkham/predict",
        (200, "application/json", {"escapes": None, "jailed": 1}),
        "not every score is a number",
    ),
    "no model": ("/api/models", (200, "application/json", []), "every model is missing"),
    "another list": ("/api/models", (200, "application/json", {"a": 1}), "wrong shape"),
    "not ready": ("/readyz", (503, "application/json", {"status": "not ready"}), "/readyz: 503"),
}


@pytest.mark.parametrize(("path", "answer", "says"), SPOILT.values(), ids=SPOILT)
def test_it_rejects(answers, url, capsys, path, answer, says):
    answers[path] = answer
    assert smoke.main([url]) == 1
    assert says in capsys.readouterr().out


def test_a_model_may_not_be_loaded_yet(answers, url, capsys):
    """The list has it at once, the document only when it can be asked."""
    listed = [{"name": "arkham", "status": "alive"}, {"name": "blackgate", "status": "unavailable"}]
    answers["/api/models"] = (200, "application/json", listed)
    answers["/api/models/blackgate/info"] = answers["/api/models/arkham/info"]
    assert smoke.main([url]) == 1
    said = capsys.readouterr().out
    assert (
        "FAILED  prediction of blackgate: /swagger.json does not have "
        "/api/models/blackgate/predict; try again if blackgate is being loaded" in said
    )


def test_a_server_may_have_no_pages(answers, url, capsys):
    problem = {"status": 404, "detail": "this server has no pages (PAGES=off)"}
    answers["/"] = (404, "application/problem+json", problem)
    assert smoke.main([url]) == 0
    assert "there are no pages" in capsys.readouterr().out


def test_it_rejects_another_version(answers, url, capsys):
    assert smoke.main([url, "--expect", "arkham=2.0.0"]) == 1
    assert "version 1.0.0 answered, not 2.0.0" in capsys.readouterr().out


def test_it_rejects_a_missing_model(answers, url, capsys):
    assert smoke.main([url, "--expect", "joker=1.0.0"]) == 1
    assert "joker is missing" in capsys.readouterr().out


def test_it_rejects_an_address_that_is_none(capsys):
    with pytest.raises(SystemExit):
        smoke.main(["batcomputer.example.org"])
    assert "does not begin with https://" in capsys.readouterr().err


def test_a_service_that_asks_for_keys_is_asked_with_one(tmp_path, monkeypatch, capsys):
    """Against the real server, set up as a deployment is."""
    models = tmp_path / "models"
    bundles.install(models)
    closed = {
        "API_KEY_REQUIRED": "true", "TRUSTED_PROXIES": "127.0.0.1", "WEB_CONCURRENCY": "1",
    }  # fmt: skip
    env = server_env(tmp_path, models, **closed)
    manage(env, "verify_model", "--new")
    with batcomputer(tmp_path, models, **closed) as server:
        asked = [server.url, "--behind-tls", "--expect", "arkham=1.0.0"]
        assert smoke.main(asked) == 1
        assert "401 (give an API key as SMOKE_API_KEY)" in capsys.readouterr().out
        key = manage(server.env, "create_api_key", "smoke test").strip()
        monkeypatch.setenv("SMOKE_API_KEY", key)
        assert smoke.main(asked) == 0, capsys.readouterr().out


def test_it_says_when_nobody_answers(capsys):
    assert smoke.main([f"http://127.0.0.1:{free_port()}"]) == 1
    assert "no answer" in capsys.readouterr().out
