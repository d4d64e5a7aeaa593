"""A log of a million rows: how fast admin's pages are, and how much memory an export takes."""

from __future__ import annotations

import http.client
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.filling import fill, run
from benchmarks.log_figures import Export, LogMeasurement, Page
from benchmarks.processes import memory_of
from tests import bundles
from tests.servers import Batcomputer, batcomputer, manage, postgres

ROWS = 1_000_000
TIMES = 7  # requests of each page
QUESTIONS = 500  # predictions in sequence
LOG = "/admin/predictor/prediction/"

LOG_IN = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
user = User.objects.create_superuser("bench", "", "x")
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session.save()
print(session.session_key)
"""
MIDDLE = """
from predictor.models import Prediction
ids = Prediction.objects.order_by("id").values_list("id", flat=True)
print(ids[Prediction.objects.count() // 2])
"""


def measure_log(database: str, rows: int = ROWS) -> LogMeasurement:
    """Fill a log in ``database`` (sqlite or postgres) and request everything admin shows of it."""
    with _server(database) as server, _server(database) as empty:
        fill(server.env, rows)
        session = run(server.env, LOG_IN).strip()
        middle = run(server.env, MIDDLE).strip()
        pages = [_page(server, session, *named) for named in _pages(middle)]
        time.sleep(61)  # the dashboard's figures are cached for a minute
        pages.insert(1, _page(server, session, "dashboard, a minute later", "/admin/"))
        exports = [_export(server, session, kind) for kind in ("csv", "jsonl", "xlsx")]
        return LogMeasurement(database, rows, pages, exports, *_predict(empty, server))


@contextmanager
def _server(database: str) -> Iterator[Batcomputer]:
    """A server with one worker, so that all pages have the same caches."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-log-") as name,
        postgres() if database == "postgres" else nullcontext() as running,
    ):
        for seed, version in enumerate(("1.0.0", "1.1.0")):
            bundles.install(Path(name, "models"), version=version, estimator=bundles.fitted(seed))
        settings: dict[str, Any] = {"DATABASE_URL": running.url} if running else {}
        with batcomputer(
            Path(name), Path(name, "models"), WEB_CONCURRENCY="1", HTTPS="false", **settings
        ) as server:
            manage(server.env, "collectstatic", "--noinput", "--verbosity", "0")
            manage(server.env, "activate_model", "arkham", "1.0.0")
            yield server


def _pages(middle: str) -> list[tuple[str, str]]:
    """(title, address) of everything admin shows of the log."""
    day = f"{time.strftime('%Y-%m-', time.gmtime(time.time() - 5 * 86_400))}01"
    return [
        ("dashboard", "/admin/"),
        ("dashboard, a model's year", "/admin/?model=arkham&span=year"),
        ("newest predictions", LOG),
        ("predictions in the middle", f"{LOG}?before={middle}"),
        ("of a version", f"{LOG}?version=arkham/1.0.0"),
        ("of a model", f"{LOG}?version=arkham"),
        ("of a flag", f"{LOG}?flag=escapes"),
        ("of a rare source", f"{LOG}?source=page"),
        ("of a version and a flag", f"{LOG}?version=arkham/1.1.0&flag=jailed"),
        ("of a month", f"{LOG}?on={day[:7]}"),
        ("of a month, version, flag and source, with a text",
         f"{LOG}?on={day[:7]}&version=arkham/1.0.0&flag=jailed&source=page&q=Joker"),
        ("with a text", f"{LOG}?q=Joker"),
        ("with a text that is nowhere", f"{LOG}?q=nowhere"),
        ("with a reference", f"{LOG}?q=case+500"),
        ("with an id", f"{LOG}?q={middle}"),
        ("the highest scores", f"{LOG}?sort=-score"),
        ("the lowest scores of a version", f"{LOG}?sort=score&version=arkham/1.0.0"),
        ("unsure, the newest", f"{LOG}?low=0.5&high=0.51"),
        ("unsure, by score", f"{LOG}?sort=score&low=0.5&high=0.51"),
        ("that were right", f"{LOG}?outcome=right"),
        ("that were wrong", f"{LOG}?outcome=wrong"),
        ("of which nothing was reported", f"{LOG}?outcome=unreported"),
        ("of a caller", f"{LOG}?caller=0123456789abcdef"),
        ("with a note", f"{LOG}?noted=yes"),
        ("that took long", f"{LOG}?took=1"),
        ("that took longer than any", f"{LOG}?took=1000"),
        ("of a minute", f"{LOG}?since={day}T12:00&until={day}T12:00"),
        ("the oldest first", f"{LOG}?sort=time"),
        ("one prediction", f"{LOG}{middle}/change/"),
        ("outcomes", "/admin/predictor/outcome/"),
        ("refusals", "/admin/predictor/refusal/"),
        ("activations", "/admin/predictor/activation/"),
        ("comparison before an activation", "/admin/predictor/activation/arkham/1.1.0/compare/"),
    ]  # fmt: skip


def _page(server: Batcomputer, session: str, title: str, path: str) -> Page:
    times = []
    for _ in range(TIMES):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        began = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": f"sessionid={session}"})
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - began) * 1000)
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
    return Page(title, times[0], median(times[1:]))


def _export(server: Batcomputer, session: str, kind: str) -> Export:
    (worker,) = server.workers()
    peak, done = [memory_of(worker)], threading.Event()
    watching = threading.Thread(target=_watch, args=(worker, peak, done))
    watching.start()
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request("GET", f"{LOG}export/{kind}/", headers={"Cookie": f"sessionid={session}"})
    answer = connection.getresponse()
    size = sum(len(piece) for piece in iter(lambda: answer.read(2**16), b""))
    seconds = time.perf_counter() - began
    done.set()
    watching.join()
    return Export(kind, seconds, size / 2**20, peak[0])


def _watch(pid: int, peak: list[float], done: threading.Event) -> None:
    while not done.wait(0.1):
        peak[0] = max(peak[0], memory_of(pid))


def _predict(*servers: Batcomputer) -> list[float]:
    """The median of QUESTIONS predictions of each server, in turn so that all have one load."""
    connections = [
        http.client.HTTPConnection("127.0.0.1", server.port, timeout=60) for server in servers
    ]
    body, times = json.dumps(bundles.ITEM), [list[float]() for _ in servers]
    for _ in range(QUESTIONS):
        for connection, taken in zip(connections, times, strict=True):
            began = time.perf_counter()
            connection.request("POST", "/api/predict", body, {"Content-Type": "application/json"})
            connection.getresponse().read()
            taken.append((time.perf_counter() - began) * 1000)
    for connection in connections:
        connection.close()
    return [median(taken) for taken in times]
