"""The process's own log: JSON lines for machines, short lines for people."""

import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

from predictor.artifacts.untrusted import printable

request_id: ContextVar[str] = ContextVar("request_id", default="")

_EXTRAS = ("method", "path", "route", "status", "milliseconds")


class PlainLines(logging.Formatter):
    """Lines for people. What a caller or a model says stays within one; a trace keeps its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return printable(super().formatMessage(record))


class JSONLines(logging.Formatter):
    """One JSON object per line, with the id of the request it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if identity := request_id.get():
            line["request_id"] = identity
        line |= {key: getattr(record, key) for key in _EXTRAS if hasattr(record, key)}
        if record.exc_info and record.exc_info[0]:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return orjson.dumps(line, default=str).decode()
