"""Heavy or blocking work, done beside the requests of a worker."""

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from django import db

logger = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")

SILENCE = 5  # seconds that a database or a disk may be silent before it counts as down


def run_in_thread(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """What ``work`` returns or raises. Other requests go on meanwhile.

    Where threads are greenlets, seconds of unpickling or scoring in one would be seconds in which
    no other runs, so the work goes to a thread of the system. It must not use Django's database
    connections (each belongs to the thread that opened it) or start a process (only the main
    thread's loop can wait for one).
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
    """What ``work`` returns, or raises: gevent would print the trace of what a thread raises."""
    try:
        return work(*args, **kwargs), None
    except BaseException as error:  # noqa: BLE001 - raised where it is waited for
        return None, error


def beside(work: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs) -> None:
    """Under gevent do ``work`` beside the requests, and do not wait for it; else do it now.

    Its database connections are its own, and closed at its end.
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
    """What ``work`` returns or raises; under gevent TimeoutError after SILENCE."""
    return within(SILENCE, work, *args, **kwargs)


def within(seconds: float, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """What ``work`` returns or raises; under gevent TimeoutError after so many ``seconds``.

    What hangs then (a lock of a stopped process, a frozen server) goes on hanging, unattended.
    """
    if not under_gevent():
        return work(*args, **kwargs)
    import gevent  # noqa: PLC0415 - only servers that run on gevent load it

    with gevent.Timeout(seconds, TimeoutError(f"no answer in {seconds} s")):
        return work(*args, **kwargs)


def system_lock() -> threading.Lock:
    """A lock between threads of the system, for moments in which no greenlet gives way."""
    if not under_gevent():
        return threading.Lock()
    from gevent.monkey import get_original  # noqa: PLC0415 - as above

    lock: threading.Lock = get_original("threading", "Lock")()
    return lock


def let_others_run() -> None:
    """Under gevent: every request that has arrived by now goes on until it too waits."""
    if under_gevent():
        import gevent  # noqa: PLC0415 - as above

        gevent.sleep(0)


def under_gevent() -> bool:
    """Whether this process runs on gevent, its threads being greenlets."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))
