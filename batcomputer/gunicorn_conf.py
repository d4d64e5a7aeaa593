"""How the service runs: gunicorn's settings, each changed from its default for a reason."""

# first of all: a lock that the application makes must be gevent's in the workers
from importlib import metadata

from gevent import monkey

# At each of its 25 steps gevent reads what every installed package has plugged in, half a second
# where there are 200 of them: it gets what was read once.
entry_points = metadata.entry_points
metadata.entry_points = entry_points().select
monkey.patch_all()
metadata.entry_points = entry_points

# ruff: noqa: E402 - see above
import gc
import os
import shutil
import sys
import tempfile
from typing import Any

from batcomputer.home import environment
from batcomputer.port import CannotListen, PortTaken, address, check_address


def heartbeat_folder(memory: str = "/dev/shm") -> str | None:  # noqa: S108 - no name is guessed there
    """Where workers show that they live: in memory where they can, so as to wait for no disk."""
    try:
        with tempfile.TemporaryFile(dir=memory):
            return memory
    except OSError:  # none, or for reading only: among the temporary files, as gunicorn has it
        return None


bind = "{}:{}".format(*address())
workers = int(environment().get("WEB_CONCURRENCY", "2"))

# Greenlets: a client that sends half a request holds a greenlet of some kB, not a thread, and
# requests that wait for the same commit of the log wait together at almost no cost.
# batcomputer/worker/ adds deadlines for every part of a request.
worker_class = "batcomputer.worker.Worker"
logger_class = "batcomputer.gunicorn_log.LogLines"
# The master imports the application, so that a worker is there in milliseconds and shares its
# memory. Nothing of OpenMP may be in it: estimators run in processes of their own. The price: a
# reload (SIGHUP) reads neither new code nor new settings; a restart does.
preload_app = True
worker_connections = 1000
keepalive = 75  # seconds; longer than a load balancer's own, so that it never meets a closed one
graceful_timeout = 30  # seconds for requests under way after SIGTERM
timeout = 60  # seconds without a heartbeat until a worker is replaced
worker_tmp_dir = heartbeat_folder()
limit_request_fields = 64
control_socket_disable = True  # it is not steered that way, and its home may be read-only
# Which proxy may say what is decided by TRUSTED_PROXIES alone.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""

# The workers count into files of this folder, so that each can show the sum (/metrics). It is the
# master's own, made empty: a reload keeps it, a restart makes another.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = environment().get(
        "PROMETHEUS_MULTIPROC_DIR"
    ) or tempfile.mkdtemp(prefix="batcomputer-metrics-")


def on_starting(server: Any) -> None:
    """Say at once why it cannot serve; all workers score in one room, which ends with this."""
    if workers < 1:
        server.log.critical("WEB_CONCURRENCY is %d; it must be 1 or more", workers)
        sys.exit(1)
    try:
        check_address()
    except PortTaken:
        pass  # gunicorn says so, and tries again for five seconds
    except CannotListen as error:
        server.log.critical("%s", error)
        sys.exit(1)
    from batcomputer.gunicorn_log import for_machines  # noqa: PLC0415 - the settings come first
    from predictor.scoring.room import room  # noqa: PLC0415 - as above

    room().lines_are_json = for_machines()


def when_ready(server: Any) -> None:
    """What every worker would import with its first request is imported here, once."""
    from django.conf import settings  # noqa: PLC0415 - Django is set up only now
    from django.urls import get_resolver  # noqa: PLC0415 - as above

    get_resolver().resolve("/admin/")
    if "redis" in settings.CACHES["default"]["BACKEND"]:
        import redis  # noqa: F401, PLC0415 - heavy, and most servers share no cache
    gc.collect()
    gc.freeze()  # the collector need not walk, and so copy, in each worker what all share


def child_exit(server: Any, worker: Any) -> None:
    """What a dead worker had waiting is not waiting any more."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """The master ends: its figures end with it."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def post_worker_init(worker: Any) -> None:
    """What dead workers left in the spool is written now, not with the first request.

    Models are loaded before anyone asks.
    """
    import gevent  # noqa: PLC0415 - as below
    from django.conf import settings  # noqa: PLC0415 - as below

    from predictor.log import writer  # noqa: PLC0415 - the application is imported by now
    from predictor.monitoring import held  # noqa: PLC0415
    from predictor.serving.current import serving  # noqa: PLC0415

    writer.start()
    gevent.spawn(held.hold)
    worker.warm_up = serving().warm
    if settings.UPKEEP:
        from batcomputer.worker.upkeep import keep_up  # noqa: PLC0415 - as above

        gevent.spawn(keep_up)


def worker_exit(server: Any, worker: Any) -> None:
    """A worker that ends in order leaves no row in the spool that the database would take.

    Nor does it take a count with it.
    """
    from predictor.log import refusals, writer  # noqa: PLC0415
    from predictor.monitoring import held  # noqa: PLC0415
    from predictor.scoring.room import room  # noqa: PLC0415

    held.release()
    writer.close()
    refusals.flush()
    room().wake()
