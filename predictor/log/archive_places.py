"""Where an archive is: a folder, or whatever else keeps files by name."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from predictor.artifacts.durable import move_into_place, replace_file


class Place(Protocol):
    """Keeps files by names such as ``model=crime/day=2026-11-26/rows.parquet``, each whole.

    Its methods raise ArchiveError or OSError when it cannot be used.
    """

    def read(self, name: str) -> bytes | None:
        """What a small file holds; None when there is no such file."""

    def write(self, name: str, data: bytes) -> None:
        """Make ``data`` the content of a file."""

    def copy(self, name: str) -> AbstractContextManager[Path | None]:
        """A file as this machine can read it; None when there is no such file."""

    def draft(self, name: str) -> AbstractContextManager[Path]:
        """A path to write to; what is there takes the file's place when the block ends well."""


class Folder:
    """A place on this machine's own disks, or mounted there."""

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
        """As Place has it. Readers of Parquet leave out what begins with an underscore."""
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
