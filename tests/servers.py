"""Real servers for tests: started on free loopback ports, stopped by their own process id."""

import atexit
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.error import URLError

from predictor.serving.loading import STORE

ROOT = Path(__file__).resolve().parent.parent
# for a program that ends after seconds: its code is compiled once, not for the best speed
BRIEF_JAVA = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
SHARED = "BATCOMPUTER_TESTS_SHARE"  # the name of the variable with shared_folder()
SECRET_KEY = "tests only: no deployment may ever use this one"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Batcomputer:
    """A running server: gunicorn with its workers, as in production."""

    url: str
    process: subprocess.Popen
    env: dict[str, str]
    log: Path
    application: str = "batcomputer.wsgi"

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        pid = self.process.pid
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def kill(self) -> None:
        """Kill the whole service at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def start(self) -> None:
        """Start it again on the same port, and return when it is ready."""
        self.process = _gunicorn(self.env, self.log, self.application)
        wait_until_ready(f"{self.url}/readyz", self.process, self.log)


def server_env(folder: Path, models: Path, **settings: str) -> dict[str, str]:
    """The environment of a separate server, its files in ``folder``, its models in ``models``."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SECRET_KEY": SECRET_KEY,
        "API_KEY_REQUIRED": "false",
        "THROTTLE_RATE": "",  # tests send requests as fast as they can
        "DATABASE_URL": f"sqlite:///{folder / 'batcomputer.sqlite3'}",
        "SPOOL_DIR": str(folder / "spool"),
        "MODELS_DIR": str(models),
        "DEFAULT_MODEL": "arkham",
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "WEB_CONCURRENCY": "2",
        **settings,
    }


def manage(env: dict[str, str], *arguments: str) -> str:
    """Run a manage.py command, and return its output."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def batcomputer(
    folder: Path,
    models: Path,
    application: str = "batcomputer.wsgi",
    *,
    migrate: bool = True,
    **settings: str,
) -> Iterator[Batcomputer]:
    """A migrated, ready server; stopped (SIGTERM, then SIGKILL) at the end."""
    env = server_env(folder, models, **settings)
    collect_static_files()
    if migrate:
        _migrate(folder, env, settings)
    log = folder / "server.log"
    _bring_verdicts(models)
    process = _gunicorn(env, log, application)
    server = Batcomputer(f"http://127.0.0.1:{env['PORT']}", process, env, log, application)
    try:
        wait_until_ready(f"{server.url}/readyz", server.process, log)
        _keep_verdicts(models)
        yield server
    finally:
        stop(server.process)


def _bring_verdicts(models: Path) -> None:
    """Copy verdicts of equal versions: an examination takes four seconds of processor time."""
    store = models / STORE
    if models.is_dir() and not store.exists():
        shutil.copytree(_verdicts(), store, ignore=shutil.ignore_patterns(".*"))


def _keep_verdicts(models: Path) -> None:
    for found in (models / STORE).glob("[!.]*"):  # a name that begins with a dot is being written
        if not (kept := _verdicts() / found.name).exists():
            draft = kept.with_name(f".{os.getpid()}")
            shutil.copy(found, draft)
            draft.rename(kept)


def _verdicts() -> Path:
    return _once("verdicts", Path.mkdir)


def _once(name: str, make: Callable[[Path], object]) -> Path:
    """The path that ``make`` has made for all servers of this run, in any process."""
    path = shared_folder() / name
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process may be making it
        if not path.exists():
            make(path)
    return path


@cache
def shared_folder() -> Path:
    """The folder that processes of a test run share; outside of one, this process has its own."""
    if given := os.environ.get(SHARED):
        return Path(given)
    folder = Path(tempfile.mkdtemp(prefix="batcomputer-servers-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _migrate(folder: Path, env: dict[str, str], settings: dict[str, str]) -> None:
    """Run ``migrate``; for a new SQLite file with default settings, copy an earlier result."""
    database = folder / "batcomputer.sqlite3"
    if settings.keys() & {"DATABASE_URL", "INITIAL_VERSION"} or database.exists():
        manage(env, "migrate", "--verbosity", "0")
    else:
        shutil.copy(_once("migrated", _make_database), database)


def _make_database(path: Path) -> None:
    """A migrated SQLite file: migrating takes three seconds for each server."""
    with tempfile.TemporaryDirectory(prefix="batcomputer-migrated-") as folder:
        env = server_env(Path(folder), Path(folder) / "models")
        manage(env, "migrate", "--verbosity", "0")
        shutil.copy(Path(folder) / "batcomputer.sqlite3", path)


def collect_static_files() -> None:
    """Collect static files: pages need their hashed names, which all servers share.

    Only once, since a server that starts meanwhile may end over a file that has gone.
    """
    _once("collected", _collect_static_files)


def _collect_static_files(collected: Path) -> None:
    env = {"PATH": os.environ["PATH"], "SECRET_KEY": SECRET_KEY}
    manage(env, "collectstatic", "--no-input", "--verbosity", "0")
    collected.touch()


def _gunicorn(env: dict[str, str], log: Path, application: str) -> subprocess.Popen:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "gunicorn", application],
            cwd=ROOT, env=env, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip


def wait_until_ready(url: str, process: subprocess.Popen, log: Path, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended:\n{log.read_text()}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"{url} was not ready in {seconds} s:\n{log.read_text()}")


def stop(process: subprocess.Popen, seconds: float = 35) -> None:
    """Ask the process to end; if it does not, kill it and its group."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Postgres:
    """A temporary PostgreSQL (Debian's server, under the postgres user when root)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.programs = _postgres_bin()

    def create(self) -> None:
        data = self.folder / "data"
        data.mkdir(parents=True)
        if os.geteuid() == 0:
            for path in (self.folder, data):
                shutil.chown(path, "postgres", "postgres")
        self._run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync")

    def start(self) -> None:
        # tests kill processes, but cut no power
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off"
        log = self.folder / "postgres.log"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(log), "-o", options, "start"
        )

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(
            command,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL with an empty database, removed at the end."""
    # not pytest's tmp_path: the postgres user cannot enter its parents
    folder = Path(tempfile.mkdtemp(prefix="batcomputer-postgres-"))
    server = Postgres(folder)
    try:
        server.create()
        server.start()
        yield server
    finally:
        with suppress(AssertionError):  # the test may have stopped it already
            server.stop("immediate")
        shutil.rmtree(folder)


@contextmanager
def pgbouncer(database: Postgres, mode: str) -> Iterator[str]:
    """The URL of a pooler for ``database``; ``mode``: session, transaction or statement."""
    folder = Path(tempfile.mkdtemp(prefix="batcomputer-pgbouncer-"))
    port = free_port()
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\npostgres = host=127.0.0.1 port={database.port} user=postgres\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = {mode}\n"
    )
    command = ["/usr/sbin/pgbouncer", str(settings)]
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        command = ["runuser", "-u", "postgres", "--", *command]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log)
    try:
        _wait_until_listening(port, process, folder / "log")
        yield f"postgres://postgres@127.0.0.1:{port}/postgres"
    finally:
        stop(process)
        shutil.rmtree(folder)


def _wait_until_listening(port: int, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, f"it ended:\n{log.read_text()}"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on port {port}:\n{log.read_text()}")


def chromium() -> str | None:
    """The system's Chromium; None if playwright must use its own download.

    Without windows of its own it takes a third less processor time.
    """
    for name in ("chromium-headless-shell", "chromium", "chromium-browser"):
        if found := shutil.which(name):
            return found
    return None


def _postgres_bin() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert found, "PostgreSQL is not installed: apt-get install postgresql"
    return found[-1]
