"""The master imports the application before it forks: checks the state that workers share."""

import json
import subprocess
import sys

import pytest

from tests.servers import ROOT, server_env

pytestmark = pytest.mark.slow

# In the order of gunicorn's master; then two forks, which report their state.
MASTER = """
import gc, json, os, random, sys, threading
from batcomputer import gunicorn_conf as conf
import gevent.lock, gevent.thread
from batcomputer import wsgi
conf.on_starting(None)
conf.when_ready(None)
from django.db import connections
from predictor.log import writer
from predictor.scoring.room import room
from predictor.serving.current import serving
from predictor.log.uuid7 import uuid7
from predictor.monitoring import metrics
import predictor.log.uuid7, predictor.concurrency

def locks():
    own = threading.main_thread()._tstate_lock  # held as long as the thread runs
    kinds = gevent.thread.LockType, gevent.lock.RLock
    return [o for o in gc.get_objects() if isinstance(o, kinds) and o is not own]

def holds_the_life_line():
    try:
        return bool(os.fstat(room()._held))
    except OSError:
        return False

def here():
    metrics.SPOOLED_ROWS.inc()
    files = {os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if n != "3"
             and os.path.lexists(f"/proc/self/fd/{n}")}
    return {
        "threads": len(os.listdir("/proc/self/task")),
        "connections": [c.alias for c in connections.all(initialized_only=True) if c.connection],
        "writer": writer.log_writer.cache_info().currsize,
        "serving": serving.cache_info().currsize,
        "holds the life-line": holds_the_life_line(),
        "locked": sum(lock.locked() for lock in locks()),
        "modules": sorted(sys.modules),
        "random": [random.random(), uuid7().hex, predictor.log.uuid7.random_bytes(8).hex()],
        "sockets": sorted(f for f in files if f.startswith("socket:")),
        "counts into": sorted(n for n in os.listdir(os.environ["PROMETHEUS_MULTIPROC_DIR"])
                              if str(os.getpid()) in n),
        "gevent's": type(predictor.log.uuid7._lock).__module__,
        "native": predictor.concurrency.system_lock().__class__.__module__,
    }

uuid7()  # so that there is a page of chance to share
found = []
for _ in range(2):
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            os.write(writing, json.dumps(here()).encode())
        finally:
            os._exit(0)
    os.closerange(writing, writing + 1)  # gevent's own close waits for its loop
    with open(reading) as answer:
        found.append(json.load(answer))
found.append(here())
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """The state of two forks and of the master."""
    folder = tmp_path_factory.mktemp("preload")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MASTER], cwd=ROOT, env=server_env(folder, folder),
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_works(processes):
    for process in processes:
        assert process["threads"] == 1
        assert process["connections"] == process["sockets"] == []
        assert process["writer"] == process["serving"] == 0
        assert process["locked"] == 0


def test_nothing_of_numpy_is_there(processes):
    heavy = {"numpy", "scipy", "sklearn", "pandas", "joblib"}
    for process in processes:
        assert not heavy & {name.partition(".")[0] for name in process["modules"]}


def test_only_the_owner_holds_the_life_line(processes):
    assert [process["holds the life-line"] for process in processes] == [False, False, True]


def test_no_two_processes_draw_the_same(processes):
    for drawn in zip(*(process["random"] for process in processes), strict=True):
        assert len(set(drawn)) == len(processes)


def test_each_counts_into_files_of_its_own(processes):
    files = [set(process["counts into"]) for process in processes]
    assert all(files)
    assert not files[0] & files[1]
    assert not files[0] & files[2]


def test_locks_are_those_of_greenlets(processes):
    """A lock made before gevent took over would stop a whole worker."""
    for process in processes:
        assert process["gevent's"].startswith("gevent")
        assert not process["native"].startswith("gevent")


def test_no_folder_for_temporary_files_is_one_sentence(tmp_path):
    """As with a read-only root and no volume at /tmp."""
    script = (
        "import tempfile\n"
        "def _none(): raise FileNotFoundError('No usable temporary directory')\n"
        "tempfile._get_default_tempdir = _none\n"
        "import batcomputer.gunicorn_conf"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=server_env(tmp_path, tmp_path),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: no folder for temporary files can be written")
    assert "TMPDIR" in done.stderr
    assert "Traceback" not in done.stderr
