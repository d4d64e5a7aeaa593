"""Count how many of this project's files and function calls one request takes.

    .venv/bin/python scripts/way.py [FOLDER …]

A row for each kind of request, a column for each FOLDER: a working tree of this project at any
commit; by default, the tree of this script. The requests are real: they go through the WSGI
application of a server with a temporary model and database. The first request of a kind imports,
loads and caches, so the third one is counted.
"""

import io
import os
import pickle
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlencode

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from django.utils.module_loading import import_string
from sklearn.linear_model import LogisticRegression

PACKAGES = ("batcomputer", "batclient", "predictor")
ITEM = {"city": "Gotham", "villain": "Joker"}
Request = dict[str, Any]
Application = Callable[..., Iterable[bytes]]


def main() -> None:
    """Print the table; each column is measured in a separate process."""
    folders = [Path(argument).resolve() for argument in sys.argv[1:]]
    folders = folders or [Path(__file__).resolve().parent.parent]
    columns = [_measured_apart(folder) for folder in folders]
    print("| files, calls |", " | ".join(folder.name for folder in folders), "|")
    print("|---" * (len(folders) + 1) + "|")
    for name in columns[0]:
        print("|", name, "|", " | ".join(column[name] for column in columns), "|")


def _measured_apart(folder: Path) -> dict[str, str]:
    command = [sys.executable, __file__, "--here"]
    # this tree's modules come before those of others
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(  # noqa: S603 - this program
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(line.split("\t") for line in done.stdout.splitlines())


def measure(root: Path) -> None:
    """Print the figures of the tree ``root``, which is the working directory."""
    # a server thread may still write there
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        _serve_from(Path(folder))
        application = _application()
        for name, ask in _requests().items():
            for _ in range(2):
                _answer(application, ask())
            way = Way(root)
            _answer(application, ask(), way)
            print(f"{name}\t{len(way.calls_by_file)}, {way.calls_by_file.total()}")


class Way:
    """Counts calls of functions in the packages of ``root``; comprehensions do not count."""

    def __init__(self, root: Path) -> None:
        self._packages = tuple(f"{root}/{name}/" for name in PACKAGES)
        self.calls_by_file: Counter[str] = Counter()

    def __enter__(self) -> None:
        sys.setprofile(self._note)

    def __exit__(self, *exception: object) -> None:
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        is_own = event == "call" and code.co_filename.startswith(self._packages)
        if is_own and not code.co_name.startswith("<"):
            self.calls_by_file[code.co_filename] += 1


def _serve_from(folder: Path) -> None:
    """Set up the server: its settings, a model in two versions, an empty database."""
    for version in "1.0.0", "2.0.0":
        _write_model(folder / "models" / "arkham" / version)
    os.environ |= {
        "SECRET_KEY": "for counting only: no deployment may ever use this one",
        "DATABASE_URL": f"sqlite:///{folder}/log.sqlite3",
        "MODELS_DIR": f"{folder}/models",
        "SPOOL_DIR": f"{folder}/spool",
        "DJANGO_SETTINGS_MODULE": "batcomputer.settings",
        "HTTPS": "false",
        "API_KEY_REQUIRED": "false",
    }


def _write_model(folder: Path) -> None:
    lookup = {"city": {"Gotham": 0, "Metropolis": 1}, "villain": {"Joker": 0, "Riddler": 1}}
    estimator = LogisticRegression().fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1])
    parts = {"model": estimator, "lookup": lookup, "flags": ["jailed", "escapes"]}
    folder.mkdir(parents=True)
    for name, part in parts.items():
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(part))


def _application() -> Application:
    django.setup()
    call_command("migrate", verbosity=0)
    application: Application = import_string("batcomputer.wsgi.application")
    return application


def _requests() -> dict[str, Callable[[], Request]]:
    """The kinds of requests; each is made again, because its body is read once."""
    session = _session()
    versions = iter(["1.0.0", "2.0.0"] * 2)
    token = "t" * 32
    page = urlencode({**ITEM, "csrfmiddlewaretoken": token}).encode()
    return {
        "one JSON prediction": lambda: _post(
            "/api/predict", b'{"city": "Gotham", "villain": "Joker"}', "application/json"
        ),
        "one page POST": lambda: _post(
            "/", page, HTTP_COOKIE=f"csrftoken={token}", HTTP_ACCEPT="application/json"
        ),
        "one CSV row": lambda: _post(
            "/api/predict", b"city,villain\r\nGotham,Joker\r\n", "text/csv"
        ),
        "one activation": lambda: _post(
            f"/admin/predictor/activation/arkham/{next(versions)}/compare/",
            urlencode({"reason": "", "csrfmiddlewaretoken": token}).encode(),
            HTTP_COOKIE=f"csrftoken={token}; {session}",
        ),
        "one export": lambda: _environ(
            "GET", "/admin/predictor/prediction/export/csv/", HTTP_COOKIE=session
        ),
    }


def _session() -> str:
    """The session cookie of an administrator."""
    client = Client()
    client.force_login(
        get_user_model().objects.create_superuser("alfred"),
        "django.contrib.auth.backends.ModelBackend",
    )
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


def _post(
    path: str, body: bytes, kind: str = "application/x-www-form-urlencoded", **headers: str
) -> Request:
    return _environ("POST", path, body, CONTENT_TYPE=kind, **headers)


def _environ(method: str, path: str, body: bytes = b"", **headers: str) -> Request:
    return {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "", "SCRIPT_NAME": "",
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "wsgi.url_scheme": "http",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1", **headers,
    }  # fmt: skip


def _answer(
    application: Application, environ: Request, way: AbstractContextManager[object] | None = None
) -> None:
    """Handle a request like a WSGI server, to the last byte. Exits if it fails."""
    begun: list[str] = []
    with way or nullcontext():
        pieces = application(environ, lambda status, _: begun.append(status))
        body = b"".join(pieces)
        if close := getattr(pieces, "close", None):
            close()
    if begun[0][:3] not in ("200", "302"):
        sys.exit(f"{environ['PATH_INFO']}: {begun[0]} {body[:200]!r}")


if __name__ == "__main__":
    measure(Path.cwd()) if "--here" in sys.argv else main()
