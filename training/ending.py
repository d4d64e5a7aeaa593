"""How the programs of this package end: with one sentence, and without half-written files."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

STOPPED = 130  # the status a shell gives to a program ended by Ctrl-C


@contextmanager
def one_sentence(*expected: type[Exception]) -> Iterator[None]:
    """End the program with the sentence of an ``expected`` error, or of a system error.

    Ctrl-C and SIGTERM (a cancelled job, a stopped container) end it the same way, so that
    half-written files are deleted.
    """
    previous = _on_sigterm(_stop)
    try:
        yield
    except expected as error:
        # a rule's refusal has its own status, so that pipelines can distinguish it from a failure
        status = getattr(error, "status", None)
        if status is None:
            sys.exit(f"error: {error}")
        print(f"error: {error}", file=sys.stderr)
        sys.exit(status)
    except OSError as error:
        sys.exit(f"error: {_words(error)}")
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(STOPPED)
    finally:
        _on_sigterm(previous)


def _words(error: OSError) -> str:
    """The system's message, with the file; the error of a full disk does not name it."""
    words = error.strerror or str(error)
    return words if error.filename is None else f"{error.filename}: {words}"


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def _on_sigterm(handler: Any) -> Any:
    """Set the handler and return the previous one; only a process's main thread may set one."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGTERM, handler)
