"""A row of the log as it goes to the database: a plain tuple, because this is the hot path."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from predictor.log.uuid7 import uuid7

# Values in the order of COLUMNS, dates and JSON as text: databases and the spool use them
# unchanged.
LogRow = tuple[str | float | None, ...]

COLUMNS = (
    "id", "time", "model", "version", "sha256", "inputs", "scores", "top_flag", "duration",
    "source", "caller", "reference", "trace", "items", "top_score", "score_step",
)  # fmt: skip


def time_text(identity: UUID) -> str:
    """The id's time as Django writes it to SQLite; PostgreSQL reads it in the session's UTC."""
    return _time_text(identity.int >> 80)


@lru_cache(maxsize=8)  # the ids of an array are 1/4096 ms apart
def _time_text(milliseconds: int) -> str:
    second, milliseconds = divmod(milliseconds, 1000)
    return f"{_second_text(second)}.{milliseconds:03d}000"


@lru_cache(maxsize=8)  # requests of the same second share it
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S")


def json_text(value: Any) -> str:
    """``value`` as JSON."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # an integer of more than 64 bits, which other programs cannot read
        return orjson.dumps(_in_64_bits(value)).decode()


def _in_64_bits(value: Any) -> Any:
    """``value`` with such integers as floats, which is how the model received them."""
    if isinstance(value, dict):
        return {key: _in_64_bits(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_in_64_bits(part) for part in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    return value


def blank_row() -> LogRow:
    """An empty row, to test whether rows can be written."""
    identity = uuid7()
    row: dict[str, str | float | None] = dict.fromkeys(COLUMNS, "")
    row |= {"id": identity.hex, "time": time_text(identity), "inputs": "{}", "scores": "{}"}
    row |= {"duration": 0.0, "items": 1, "top_score": 0.0, "score_step": 0}
    return tuple(row.values())
