"""Run an image's root folder as a container engine would, and check its documented promises.

``python -m tests.delivery.run_image ROOT IMAGE.json``, as scripts/image-test calls it: ROOT is the
mounted image, IMAGE.json the output of ``buildah inspect``. Environment, command, user and working
folder come from the image; the root is read-only, /data, /tmp and /dev/shm are fresh; the server is
process 1 of its own process namespace. Linux and root only.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from batcomputer import smoke, smoke_checks
from tests.servers import free_port

READY_WITHIN = 5  # seconds from start to the first prediction
STARTS = 3  # one of which must be that quick
PATIENCE = 120  # seconds until a start counts as failed
APPLICATION_LIMIT = 400 * 10**6  # bytes that the image may add to its base
CLIENTS = 8
ANY_USER = "1000680000:0"
FORBIDDEN = ["cc", "gcc", "g++", "make", "pip", "pip3"]  # programs that help an attacker
SECRET_KEY = "tests only: no deployment may ever use this one"


@dataclass
class Image:
    """The image under test."""

    root: Path
    config: dict[str, Any]
    port: int = field(default_factory=free_port)

    def command(self, *words: str, data: Path, user: str = "") -> list[str]:
        """The command line that runs ``words`` in the read-only image, as its user or another."""
        user, group = (user or self.config["User"]).split(":")
        environment = [*self.config["Env"], *_settings(self.port)]
        root = shlex.quote(str(self.root))
        script = f"""
            mount --bind {root} {root} && mount -o remount,bind,ro {root}
            mount --bind {shlex.quote(str(data))} {root}/data
            mount -t tmpfs tmpfs {root}/tmp
            mount -t proc proc {root}/proc
            mount --rbind /dev {root}/dev
            exec setpriv --no-new-privs chroot --userspec={user}:{group} --groups={group} {root} \
                env -i {shlex.join(environment)} \
                sh -c 'cd {self.config["WorkingDir"]} && exec "$@"' sh {shlex.join(words)}
        """
        return ["unshare", "--mount", "--pid", "--fork", "sh", "-ec", script]

    def run(self, *words: str, data: Path, user: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words, data=data, user=user),
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    @contextmanager
    def served(self, data: Path, user: str = "") -> Iterator["Server"]:
        """Run the image's own command."""
        with (data.parent / "server.log").open("wb") as log:
            process = subprocess.Popen(
                self.command(*self.config["Cmd"], data=data, user=user), stdout=log, stderr=log
            )
        server = Server(process, self.port, Path(log.name))
        try:
            yield server
        finally:
            server.kill()


def _settings(port: int) -> list[str]:
    return [f"SECRET_KEY={SECRET_KEY}", f"PORT={port}", "HTTPS=false", "API_KEY_REQUIRED=false"]


@dataclass
class Server:
    """A server that runs in the image."""

    process: subprocess.Popen
    port: int
    log: Path

    @contextmanager
    def log_shown_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            print(self.log.read_text()[-5000:], file=sys.stderr)
            raise

    def processor_seconds(self) -> float:
        """The processor time of all its processes, including ended ones."""
        return _ticks(self.process.pid) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> int:
        """Send SIGTERM to process 1 of the image, as an engine does; returns the exit code."""
        self._signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        """End process 1, and with it all others of its namespace."""
        if self.process.poll() is None:
            self._signal(signal.SIGKILL)
            self.process.wait(60)

    def _signal(self, number: signal.Signals) -> None:
        # process 1 is unshare's child; ending unshare itself would leave it running
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        os.kill(int(children.split()[0]), number)


def _ticks(pid: int) -> int:
    """utime, stime, cutime and cstime of a process (proc(5)) and of all below it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(map(int, fields[11:15])) + sum(_ticks(int(child)) for child in children)


class Load:
    """Clients that send requests without pause over persistent connections, like a load balancer.

    A load balancer opens no new connection to a draining server (the purpose of the preStop pause
    in Kubernetes), but goes on using its connections until the server closes them.
    """

    def __init__(self, port: int, path: str, body: bytes) -> None:
        self.port, self.path, self.body = port, path, body
        self.answered: list[str] = []  # ids of the predictions
        self.lost: list[str] = []
        self._draining = False
        self._clients = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]

    def start(self) -> None:
        for client in self._clients:
            client.start()

    def drain(self) -> None:
        self._draining = True

    def wait(self) -> None:
        for client in self._clients:
            client.join()

    def _ask(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=40)
        while True:
            if connection.sock is None and self._draining:
                return  # the next request would go to another server
            try:
                connection.request(
                    "POST", self.path, self.body, {"Content-Type": "application/json"}
                )
                reply = connection.getresponse()
                reply.read()
            except (OSError, HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
                continue
            if reply.status == 200:
                self.answered.append(reply.headers["X-Prediction-Id"])
            else:
                self.lost.append(f"status {reply.status}")


def check(image: Image, work: Path) -> None:
    """Check every promise; AssertionError names a broken one."""
    data = work / "data"
    data.mkdir(parents=True)
    uid = int(image.config["User"].split(":")[0])
    os.chown(data, uid, uid)

    size = sum(_bytes(image.root / part) for part in ("opt/venv", "app", "models"))
    assert size < APPLICATION_LIMIT, f"the application's layers hold {size / 1e6:.0f} MB"
    say(f"the application's layers hold {size / 1e6:.0f} MB")

    there = image.run("sh", "-c", f"command -v {' '.join(FORBIDDEN)}; true", data=data).stdout
    assert not there, f"the image has {there.split()}"
    say("no compiler and no installer in it")

    assert uid != 0
    assert image.run("id", "-u", data=data).stdout.strip() == str(uid)
    written = image.run("sh", "-c", "touch /app/x || touch /models/x || touch /x", data=data)
    assert written.returncode != 0
    assert "Read-only file system" in written.stderr, written.stderr
    say(f"runs as user {uid} with a read-only root")

    migrated = image.run("python", "manage.py", "migrate", "--verbosity", "0", data=data)
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr

    _check_any_user(image, work)
    service = smoke_checks.Service(f"http://127.0.0.1:{image.port}")
    with image.served(data) as server, server.log_shown_on_failure():
        _wait_for(lambda: service.ask("/readyz"))
        model = service.ask("/api/info").json()["model"]
        item = smoke_checks.example(service, model)

    for attempt in range(STARTS):
        with image.served(data) as server, server.log_shown_on_failure():
            started = time.monotonic()
            _wait_for(lambda: service.ask("/api/predict", item))
            seconds = time.monotonic() - started
            worked = server.processor_seconds()
            say(
                f"answered a prediction of {model} {seconds:.1f} s after its start, "
                f"for which its processes worked {worked:.1f} s"
            )
            # on a machine that others keep busy, processor time counts instead
            taken = worked if _crowd() > 1 else seconds
            if taken <= READY_WITHIN or attempt == STARTS - 1:
                assert taken <= READY_WITHIN, f"more than {READY_WITHIN} s"
                _check_running(image, server, service, data, item)
                return


def _check_any_user(image: Image, work: Path) -> None:
    """Run as on OpenShift: as an arbitrary user of group 0, unknown to the image."""
    data = work / "data-of-another"
    data.mkdir()
    os.chown(data, 0, 0)
    data.chmod(0o770)
    migrated = image.run(
        "python", "manage.py", "migrate", "--verbosity", "0", data=data, user=ANY_USER
    )
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    service = smoke_checks.Service(f"http://127.0.0.1:{image.port}")
    with image.served(data, ANY_USER) as server, server.log_shown_on_failure():
        _wait_for(lambda: service.ask("/readyz"))
        assert smoke.main([service.url, "--wait", "30"]) == 0, "the smoke test failed"
    say(f"serves as user {ANY_USER} that it does not know")


def _check_running(
    image: Image, server: Server, service: smoke_checks.Service, data: Path, item: dict[str, Any]
) -> None:
    probe = image.config["Healthcheck"]["Test"][1:]
    healthy = image.run(*probe, data=data)
    assert healthy.returncode == 0, healthy.stderr
    assert smoke.main([service.url]) == 0, "the smoke test failed"

    load = Load(image.port, "/api/predict", json.dumps(item).encode())
    load.start()
    while len(load.answered) < 200:
        assert not load.lost, load.lost[:5]
        time.sleep(0.05)
    asked = time.monotonic()
    load.drain()
    code = server.stop()
    load.wait()
    say(f"stopped {time.monotonic() - asked:.1f} s after SIGTERM with code {code}")
    assert code == 0
    assert not load.lost, f"{len(load.lost)} requests were lost: {load.lost[:5]}"
    logged = image.run("python", "manage.py", "shell", "--no-imports", "-c", _PRINT_IDS, data=data)
    missing = set(load.answered) - set(logged.stdout.split())
    assert not missing, f"{len(missing)} answers are not in the log"
    say(f"{len(load.answered)} requests under load: none lost, all on record")


_PRINT_IDS = (
    "from predictor.models import Prediction as P; print(*P.objects.values_list('id', flat=True))"
)


def _crowd() -> float:
    """The number of programs per processor of this machine, at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _wait_for(question: Callable[[], Any]) -> None:
    """Send requests from the start on until there is an answer."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(smoke_checks.Wrong):
            question()
            return
        assert time.monotonic() < deadline, f"no answer {PATIENCE} s after the start"
        time.sleep(0.05)


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def say(sentence: str) -> None:
    print(f"    {sentence}", flush=True)


if __name__ == "__main__":
    root, described = map(Path, sys.argv[1:])
    check(
        Image(root, json.loads(described.read_text())["Docker"]["config"]), described.parent / "run"
    )
