"""The process log: one stream of lines, JSON for machines or short text for people.

Standard library only: gunicorn's master and the scoring room's processes write the same lines.
"""

import io
import json
import logging
import logging.config
import re
import sys
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from predictor.artifacts.untrusted import printable

request_id: ContextVar[str] = ContextVar("request_id", default="")
trace_id: ContextVar[str] = ContextVar("trace_id", default="")

_EXTRAS = ("method", "path", "route", "status", "milliseconds", "caller")
# https://www.w3.org/TR/trace-context/#traceparent-header; later versions may append fields
_TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"
)


class PlainLines(logging.Formatter):
    """Lines for people. Text from a caller or a model stays on one line; a trace keeps its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return printable(super().formatMessage(record))


class JSONLines(logging.Formatter):
    """One JSON object per line, with the ids of the request and of the trace it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        for variable in (request_id, trace_id):
            if identity := variable.get():
                line[variable.name] = identity
        line |= {key: getattr(record, key) for key in _EXTRAS if hasattr(record, key)}
        if record.exc_info and record.exc_info[0]:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, default=str)


def trace_of(traceparent: str) -> str:
    """The trace id of a ``traceparent`` header, 32 hex digits; empty when it is not valid."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or (match[1] == "00" and match[3]):
        return ""
    return match[2]


def lines(*, machines: bool, stream: str) -> dict[str, Any]:
    """The configuration of logging: lines of which kind go to ``stdout`` or ``stderr``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "people": {"()": PlainLines, "format": "%(levelname)s %(name)s: %(message)s"},
            "machines": {"()": JSONLines},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "machines" if machines else "people",
                "stream": f"ext://sys.{stream}",
            }
        },
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "predictor": {"level": "INFO"},
            # the request log has lines for these, with duration and id
            "django.request": {"level": "CRITICAL"},
            "azure": {"level": "CRITICAL"},  # we report errors there in one sentence
            # Every internet scanner would cause tracebacks here (a foreign host, a thousand
            # parameters); the request log has the 400.
            "django.security": {"level": "CRITICAL"},
            "django.security.csrf": {"level": "WARNING"},
        },
    }


def stream() -> str:
    """The stream for this process's lines: not a command's standard output, which is its result."""
    return "stdout" if "gunicorn.arbiter" in sys.modules else "stderr"


def log_what_python_prints(*, output: bool = False) -> None:
    """Turn warnings, traces and all other output to standard error into log lines.

    With ``output``, also the output to standard output; the handlers then write elsewhere.
    """
    logger = logging.getLogger("python")

    def ended(kind: Any, error: BaseException, trace: Any) -> None:
        logger.critical("the process ended by an error", exc_info=(kind, error, trace))

    def thread_ended(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            what = args.thread.name if args.thread else "unknown"
            trace = (args.exc_type, args.exc_value, args.exc_traceback)
            logger.error("the thread %r ended by an error", what, exc_info=trace)

    logging.captureWarnings(True)
    logging.raiseExceptions = False  # failing to write a line would cause another line
    sys.excepthook, threading.excepthook = ended, thread_ended
    sys.stderr = _Logged(logger, logging.ERROR)
    if output:
        sys.stdout = _Logged(logger, logging.WARNING)


class _Logged(io.TextIOBase):
    """A file object that logs the lines written to it."""

    def __init__(self, logger: logging.Logger, level: int) -> None:
        self._logger = logger
        self._level = level
        self._line = ""

    def write(self, text: str) -> int:
        *whole, self._line = (self._line + text).split("\n")
        for line in whole:
            if line.strip():
                self._logger.log(self._level, "%s", line)
        return len(text)
