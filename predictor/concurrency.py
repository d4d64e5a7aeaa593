"""Heavy or blocking work that must not delay a worker's requests."""

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from django import db

logger = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")

SILENCE = 5  # seconds without a response after which a database or a disk counts as down


def run_in_thread(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Return or raise what ``work`` does. Other requests go on meanwhile.

    With greenlets as threads, seconds of unpickling or scoring in one would stop all others, so
    the work goes to a system thread. It must not use Django's database connections (each belongs
    to the thread that opened it) or start a process (only the main thread's loop can wait for
    one).
    """
    if not under_gevent():
        return work(*args, **kwargs)
    import gevent  # noqa: PLC0415 - only servers that run on gevent load it

    result, error = gevent.get_hub().threadpool.apply(_tried, (work, args, kwargs))
    if error is not None:
        raise error
    return cast("_T", result)


def _tried(
    work: Callable[..., _T], args: Any, kwargs: Any
) -> tuple[_T, None] | tuple[None, BaseException]:
    """The result of ``work`` or its error: gevent would print the trace if a thread raised it."""
    try:
        return work(*args, **kwargs), None
    except BaseException as error:  # noqa: BLE001 - raised again by the waiting caller
        return None, error


def run_in_background(work: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs) -> None:
    """Under gevent, start ``work`` in the background and return; otherwise do it now.

    It has separate database connections, which are closed when it ends.
    """
    if not under_gevent():
        work(*args, **kwargs)
        return

    def run() -> None:
        try:
            work(*args, **kwargs)
        except db.Error as error:
            logger.warning("the database does not answer: %s", error)
        finally:
            db.connections.close_all()

    threading.Thread(target=run, daemon=True).start()


def with_timeout(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Return or raise what ``work`` does; under gevent, TimeoutError after SILENCE."""
    return within(SILENCE, work, *args, **kwargs)


def within(seconds: float, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Return or raise what ``work`` does; under gevent, TimeoutError after ``seconds``.

    Work that hangs (a lock of a stopped process, a frozen server) is abandoned, not ended.
    """
    if not under_gevent():
        return work(*args, **kwargs)
    import gevent  # noqa: PLC0415 - only servers that run on gevent load it

    with gevent.Timeout(seconds, TimeoutError(f"no answer in {seconds} s")):
        return work(*args, **kwargs)


def system_lock() -> threading.Lock:
    """A lock between system threads, for short sections in which no greenlet yields."""
    if not under_gevent():
        return threading.Lock()
    from gevent.monkey import get_original  # noqa: PLC0415 - as above

    lock: threading.Lock = get_original("threading", "Lock")()
    return lock


def let_others_run() -> None:
    """Under gevent, let every request that has arrived run until it waits."""
    if under_gevent():
        import gevent  # noqa: PLC0415 - as above

        gevent.sleep(0)


def under_gevent() -> bool:
    """Whether this process runs on gevent, its threads being greenlets."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))
