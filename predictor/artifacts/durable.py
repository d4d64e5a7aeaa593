"""Files and folders that appear whole or not at all, and that survive a power cut."""

import os
import tempfile
from pathlib import Path


def replace_file(path: Path, *pieces: bytes | memoryview) -> None:
    """Make ``pieces`` the content of ``path``; a reader sees the old file or all of the new one.

    Any user may read it: the server may run as another user than the command. Raises OSError.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    draft = Path(name)
    try:
        with open(handle, "wb") as file:
            file.writelines(pieces)
        draft.chmod(0o644)  # mkstemp makes it private
        move_into_place(draft, path)
    except OSError as error:  # the error of a full disk names no file
        raise OSError(error.errno, f"cannot be written: {error.strerror}", str(path)) from error
    finally:
        draft.unlink(missing_ok=True)


def move_into_place(draft: Path, place: Path) -> None:
    """Rename ``draft``, a file or a folder of files, once all that is in it is on the disk.

    It must be on the same file system. Raises OSError.
    """
    for path in [*draft.iterdir(), draft] if draft.is_dir() else [draft]:
        sync(path)
    draft.rename(place)
    sync(place.parent)


def sync(path: Path) -> None:
    """Wait until ``path`` (of a folder: the names in it) is on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
