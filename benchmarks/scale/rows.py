"""What a row of the log needs: bytes, and the time of one connection or process."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.filling import in_shell
from tests.servers import manage, postgres, server_env

ROWS = 200_000
# key: COPY with only the key's index; read: count a column of the archive
WAYS = ("sqlite", "insert", "copy", "key", "archive", "read")


@dataclass(frozen=True)
class Way:
    """One way of keeping or reading rows."""

    title: str
    bytes: float | None  # per row; None where nothing is written
    per_second: float  # rows of one connection or process


def measure_rows(rows: int = ROWS) -> dict[str, Way]:
    """Every way by its name in WAYS."""
    ways = _in_database("sqlite", rows) | _in_database("postgres", rows)
    return {name: ways[name] for name in WAYS}


def _in_database(database: str, rows: int) -> dict[str, Way]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-rows-") as folder,
        postgres() if database == "postgres" else nullcontext() as server,
    ):
        settings = {"DATABASE_URL": server.url} if server else {}
        environment = server_env(Path(folder), Path(folder, "models"), **settings)
        manage(environment, "migrate", "--verbosity", "0")
        ways = in_shell(environment, "benchmarks.scale.writing", rows)
        if not server:
            ways |= in_shell(environment, "benchmarks.scale.archived", f"{folder}/archive")
        return {name: Way(*way) for name, way in ways.items()}
