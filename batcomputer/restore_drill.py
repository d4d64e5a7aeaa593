"""``scripts/restore-drill``: prove that a backup can be restored.

The backup is made as in docs/operations.md and restored into a second database; then the number of
rows of every table and the whole newest prediction are compared.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import django
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

NEWEST = "SELECT * FROM predictor_prediction ORDER BY id DESC LIMIT 1"


class DrillError(Exception):
    """The backup or the restore failed, or the databases differ."""


def main(arguments: list[str]) -> int:
    """Run the drill; 0 where the restored database is the same."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "batcomputer.settings")
    django.setup()
    source = connections["default"]
    with tempfile.TemporaryDirectory(prefix="restore-drill-") as name:
        try:
            if source.vendor == "sqlite":
                _sqlite(source, Path(name) / "copy.sqlite3")
            else:
                _postgresql(source, Path(name) / "log.dump", *arguments)
        except DrillError as error:
            print(f"The drill failed: {error}", file=sys.stderr)
            return 1
    return 0


def _sqlite(source: BaseDatabaseWrapper, copy: Path) -> None:
    began = time.monotonic()
    with source.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(copy)])
    _say(f"backup: {copy.stat().st_size:,} bytes in {time.monotonic() - began:.1f} s")
    _compare(source, {**source.settings_dict, "NAME": str(copy)})


def _postgresql(source: BaseDatabaseWrapper, dump: Path, into: str = "") -> None:
    address = _address(source)
    began = time.monotonic()
    _run("pg_dump", "--format=custom", "--file", str(dump), "--dbname", address)
    _say(f"backup: {dump.stat().st_size:,} bytes in {time.monotonic() - began:.1f} s")
    name = urlsplit(into).path.strip("/") if into else f"restore_drill_{uuid4().hex[:8]}"
    second = into or urlunsplit(urlsplit(address)._replace(path=f"/{name}"))
    if not into:
        _run("psql", "--quiet", "--dbname", address, "--command", f'CREATE DATABASE "{name}"')
    try:
        began = time.monotonic()
        _run("pg_restore", "--no-owner", "--exit-on-error", "--dbname", second, str(dump))
        _say(f"restore: {time.monotonic() - began:.1f} s into {name}")
        parts = urlsplit(second)
        _compare(source, {
            **source.settings_dict, "NAME": name, "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""), "USER": parts.username or "",
            "PASSWORD": parts.password or "",
        })  # fmt: skip
    finally:
        if not into:
            drop = f'DROP DATABASE IF EXISTS "{name}"'
            _run("psql", "--quiet", "--dbname", address, "--command", drop)


def _address(source: BaseDatabaseWrapper) -> str:
    """DATABASE_URL in the form that libpq reads."""
    return os.environ["DATABASE_URL"].replace("postgresql+psycopg", "postgresql")


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise DrillError(f"{command[0]} is not installed (postgresql-client)") from None
    if done.returncode:
        raise DrillError(f"{command[0]}: {done.stderr.strip()}")


def _compare(source: BaseDatabaseWrapper, described: dict[str, object]) -> None:
    """Raise DrillError where the second database differs from the first."""
    connections.settings["restored"] = described
    restored = connections["restored"]
    with closing(restored):
        tables = source.introspection.table_names()
        if restored.introspection.table_names() != tables:
            raise DrillError("the restored database has other tables")
        different = [name for name in tables if _count(source, name) != _count(restored, name)]
        if different:
            raise DrillError(f"other numbers of rows in {', '.join(different)}; was it written to?")
        newest, same = _newest(source), _newest(restored)
        if newest != same:
            raise DrillError(f"the newest prediction is {same}, not {newest}")
        rows = sum(_count(restored, name) for name in tables)
        predictions = _count(restored, "predictor_prediction")
        _say(f"the same: {rows:,} rows of {len(tables)} tables, {predictions:,} predictions, "
             f"newest {newest[0] if newest else 'none'}")  # fmt: skip


def _count(connection: BaseDatabaseWrapper, table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608
        (count,) = cursor.fetchone()
    return int(count)


def _newest(connection: BaseDatabaseWrapper) -> tuple[object, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(NEWEST)
        row: tuple[object, ...] | None = cursor.fetchone()
    return row


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
