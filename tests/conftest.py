"""Fixtures for all tests."""

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from xdist.scheduler import LoadFileScheduling

from predictor.artifacts import direct, report_store, version
from predictor.artifacts.examination import examine
from predictor.log import refusals
from predictor.log.writer.commits import LogWriter
from predictor.log.writer.spool import Spool
from predictor.log.writer.store import Store
from predictor.serving import loading as policy
from predictor.serving.current import serving
from tests import bundles, fast_suite, once, processor_time, servers
from tests.training.trained import train_once

MEMORY = Path("/dev/shm")
# jsonschema would compile forty grammars for formats that no document here has: two seconds.
sys.modules["rfc3987_syntax"] = None


def pytest_configure(config: pytest.Config) -> None:
    """Keep the fast suite's files in memory: thousands of small folders are slow on a disk."""
    config.pluginmanager.register(fast_suite)
    config.pluginmanager.register(processor_time)
    if config.option.markexpr == "not slow" and has_room(MEMORY, 2**30):
        tempfile.tempdir = str(MEMORY)


def has_room(folder: Path, needed: int) -> bool:
    """Whether the folder has so much free space, and allows programs to run."""
    if not os.access(folder, os.W_OK):
        return False
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize >= needed and not disk.f_flag & os.ST_NOEXEC


def pytest_collection_finish() -> None:
    """Freeze imported objects, so that the garbage collector does not scan them repeatedly."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


class OneBrowser(LoadFileScheduling):
    """Each file on one process; all browser files on one, since they share a server."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return "tests/browser" if file.startswith("tests/browser/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneBrowser:
    """For ``-n``, as in scripts/test; keeps the order in which tests were collected."""
    config.option.loadscopereorder = False
    return OneBrowser(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several processes, run long files first, so that none is left to the end.

    Tests that commit come last: they empty all tables, including the rows from migrations.
    """
    if hasattr(config, "workerinput"):
        short = {item.path for item in items if item.get_closest_marker("slow") is None}
        commits = {item.path for item in items if _commits(item)}
        items.sort(key=lambda item: (item.path in commits, item.path in short))


def _commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    return bool(marker and marker.kwargs.get("transaction"))


@pytest.fixture(scope="session", autouse=True)
def signals_of_a_terminal() -> None:
    """Reset signals that nohup and background jobs ignore, since child processes inherit that."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def no_power_cut() -> Iterator[None]:
    """Skip flushes: test files need not survive a power cut, and flushing takes half the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of verdicts for all tests: equal versions are examined once."""
    return tmp_path_factory.mktemp("verdicts")


@pytest.fixture(autouse=True)
def examined_here(monkeypatch: pytest.MonkeyPatch, verdicts: Path) -> None:
    """Examine in this process: a separate one costs two seconds for each model."""
    monkeypatch.setattr(version, "examine_apart", examine)
    monkeypatch.setattr(version, "tabulate_apart", once.tabulate)
    monkeypatch.setattr(direct, "shortcut", once.shortcut)
    monkeypatch.setattr(policy, "is_prepared", once.is_prepared)
    monkeypatch.setattr(policy, "load_prepared", once.load_prepared)
    monkeypatch.setattr(policy, "room", lambda: None)  # a scoring room would cost two seconds more
    monkeypatch.setattr(policy, "STORE", str(verdicts))
    # a verdict that one test caused (a simulated crash) must not affect the next
    monkeypatch.setattr(report_store, "_remembered", {})


@pytest.fixture(scope="session", autouse=True)
def of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    os.environ[servers.SHARED] = str(folder)
    return folder


@pytest.fixture(scope="session")
def trained(of_this_run: Path) -> Callable[[str], Path]:
    """The folder of a demo model's version, trained for the first test that needs it."""
    return partial(train_once, of_this_run)


@pytest.fixture
def models_dir(tmp_path: Path, settings: Any, db: None) -> Iterator[Path]:
    """An empty folder of models for the server under test.

    The database records which version is active, so every test that serves a model needs it.
    """
    settings.MODELS_DIR = tmp_path / "models"
    serving.cache_clear()
    yield settings.MODELS_DIR
    serving.cache_clear()


@pytest.fixture
def arkham(models_dir: Path) -> Path:
    """The server under test serves the small Arkham model; the path is its version's folder."""
    return bundles.install(models_dir)


@pytest.fixture
def post(client: Client) -> Callable[..., Any]:
    """POST a body (bytes, or any JSON value) to a predict route."""

    def send(body: Any, path: str = "/api/predict", **headers: str) -> Any:
        return client.post(path, body, content_type="application/json", headers=headers)

    return send


@pytest.fixture(scope="session")
def spools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new path for each test that needs one: pytest's folder per test costs milliseconds."""
    folder = tmp_path_factory.mktemp("spools")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def log_in_the_tests_transaction(
    monkeypatch: pytest.MonkeyPatch, spools: Iterator[Path]
) -> Iterator[Spool]:
    """Write rows through the test's connection, so that its rollback includes them."""
    spool = Spool(next(spools))
    log_writer = LogWriter(lambda: Store(connection), spool)
    monkeypatch.setattr(Store, "probe", lambda store: None)
    monkeypatch.setattr("predictor.log.writer.log_writer", cache(lambda: log_writer))
    yield spool
    spool.seal()


@pytest.fixture(autouse=True)
def refusals_are_counted_when_asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No background thread writes counts to the database: tests call refusals.flush()."""
    monkeypatch.setattr("predictor.log.refusals._flush_soon", lambda: None)
    yield
    refusals._gathered.clear()
