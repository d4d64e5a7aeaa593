"""Where an archive is stored: a folder, or another store that keeps files by name."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from predictor.artifacts.durable import move_into_place, replace_file


class Place(Protocol):
    """Stores files by names such as ``model=crime/day=2026-11-26/rows.parquet``, never partly.

    Its methods raise ArchiveError or OSError when the place cannot be used.
    """

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None when there is no such file."""

    def write(self, name: str, data: bytes) -> None:
        """Replace the content of a file with ``data``."""

    def copy(self, name: str) -> AbstractContextManager[Path | None]:
        """A local path to the file or a copy of it; None when there is no such file."""

    def draft(self, name: str) -> AbstractContextManager[Path]:
        """A path to write to; the draft replaces the file when the block ends without an error."""


class Folder:
    """A place on this machine's disks, or mounted there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, name: str) -> bytes | None:
        """As Place has it."""
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """As Place has it."""
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)

    @contextmanager
    def copy(self, name: str) -> Iterator[Path | None]:
        """As Place has it."""
        path = self._root / name
        yield path if path.exists() else None

    @contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        """As Place has it. The draft begins with an underscore, so readers of Parquet skip it."""
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"_{path.name}")
        try:
            yield draft
            move_into_place(draft, path)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """The digest of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
