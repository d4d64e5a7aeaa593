"""How the service runs: gunicorn's settings, each changed from its default for a reason."""

# first of all, so that the locks that the application creates are gevent's
from importlib import metadata

from gevent import monkey

# At each of its 25 steps gevent reads the entry points of every installed package, half a second
# with 200 packages: here they are read once.
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
from contextlib import suppress
from typing import Any

from batcomputer.home import environment
from batcomputer.port import CannotListen, PortTaken, address, check_address
from predictor.artifacts.setting import whole


def heartbeat_folder(memory: str = "/dev/shm") -> str | None:  # noqa: S108 - no name is guessed there
    """The folder of the workers' heartbeats: in memory if possible, so that no disk delays them."""
    try:
        with tempfile.TemporaryFile(dir=memory):
            return memory
    except OSError:  # missing or read-only: among temporary files, gunicorn's default
        return None


bind = "{}:{}".format(*address())
try:
    workers, _refusal = whole("WEB_CONCURRENCY", environment().get("WEB_CONCURRENCY") or "2", 1), ""
except ValueError as error:
    workers, _refusal = 1, str(error)  # reported by on_starting, which has the log

# Greenlets: a client that sends half a request takes a greenlet of some kB, not a thread, and
# requests wait together for the same commit of the log at almost no cost. batcomputer/worker/ adds
# deadlines for every part of a request.
worker_class = "batcomputer.worker.Worker"
logger_class = "batcomputer.gunicorn_log.LogLines"
# The master imports the application, so that a worker starts in milliseconds and shares its
# memory. It must not load OpenMP: estimators run in separate processes. The price: a reload
# (SIGHUP) reads neither new code nor new settings; a restart does.
preload_app = True
worker_connections = 1000
keepalive = 75  # seconds; longer than a load balancer's, so that it never uses a closed connection
graceful_timeout = 30  # seconds for requests in progress after SIGTERM
timeout = 60  # seconds without a heartbeat until a worker is replaced
worker_tmp_dir = heartbeat_folder()
limit_request_fields = 64
control_socket_disable = True  # not used, and the home folder may be read-only
# Only TRUSTED_PROXIES decides which proxies to trust.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""

try:
    tempfile.gettempdir()
except FileNotFoundError:  # before anything that needs one, with its traceback
    sys.exit(
        "error: no folder for temporary files can be written (/tmp, /var/tmp): name one that can, "
        "with TMPDIR"
    )
# The workers keep their counters in this folder, so that each can show the sum (/metrics). The
# master creates it empty: a reload keeps it, a restart creates another.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = environment().get(
        "PROMETHEUS_MULTIPROC_DIR"
    ) or tempfile.mkdtemp(prefix="batcomputer-metrics-")


def on_starting(server: Any) -> None:
    """Report at once why the server cannot start; open the room in which all workers score."""
    if _refusal:
        server.log.critical("%s", _refusal)
        sys.exit(1)
    try:
        check_address()
    except PortTaken:
        pass  # gunicorn logs it, and retries for five seconds
    except CannotListen as error:
        server.log.critical("%s", error)
        sys.exit(1)
    from batcomputer.gunicorn_log import for_machines  # noqa: PLC0415 - the settings come first
    from predictor.scoring.room import room  # noqa: PLC0415 - as above

    room().lines_are_json = for_machines()


def when_ready(server: Any) -> None:
    """Import, once for all workers, what each would import at its first request."""
    from django.conf import settings  # noqa: PLC0415 - Django is set up only now
    from django.urls import get_resolver  # noqa: PLC0415 - as above

    get_resolver().resolve("/admin/")
    if "redis" in settings.CACHES["default"]["BACKEND"]:
        import redis  # noqa: F401, PLC0415 - heavy, and most servers share no cache
    gc.collect()
    gc.freeze()  # so that the garbage collector does not copy shared memory in each worker


def child_exit(server: Any, worker: Any) -> None:
    """Remove a dead worker's gauges, such as its waiting requests."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    with suppress(OSError):  # a read-only folder must not end the master
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Remove the metrics when the master ends."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def post_worker_init(worker: Any) -> None:
    """Write the rows that dead workers left in the spool now, not with the first request.

    Also load the models before the first request.
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
    """When a worker ends in order, write its rows from the spool if the database accepts them.

    Its counts are kept too.
    """
    from predictor.log import refusals, writer  # noqa: PLC0415
    from predictor.monitoring import held  # noqa: PLC0415
    from predictor.scoring.room import room  # noqa: PLC0415

    held.release()
    writer.close()
    refusals.flush()
    room().wake()
