"""Where a version comes from, by its metadata."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import VersionFiles, read_version


def created(metadata: Mapping[str, Any]) -> datetime | None:
    """The time in ``created``; for a date alone its end, since the hour is unknown."""
    said = metadata.get("created")
    try:
        moment = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None
    if moment is None:
        return None
    if isinstance(said, str) and len(said) <= 10 and moment.time() == time():
        moment += timedelta(days=1)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def origin_of_answer(folder: Path, sha256: str) -> list[tuple[str, str]]:
    """The origin of exactly the files that gave an answer; see ``origin_of``.

    Raises ArtifactError when they are no longer in ``folder``.
    """
    try:
        kept = [(file.name, file.stat()) for file in folder.iterdir()]
    except OSError as error:
        raise ArtifactError("its files are no longer here") from error
    stamps = sorted((name, known.st_mtime_ns, known.st_size) for name, known in kept)
    return _origin_of_answer(folder, sha256, tuple(stamps))


@lru_cache(maxsize=128)  # it reads all files
def _origin_of_answer(
    folder: Path, sha256: str, stamps: tuple[tuple[str, int, int], ...]
) -> list[tuple[str, str]]:
    files = read_version(folder)
    if files.fingerprint != sha256:
        raise ArtifactError("other files have its name now")
    return origin_of(files)


def origin_of(files: VersionFiles) -> list[tuple[str, str]]:
    """Where a version comes from, as titles and values from its metadata."""
    said = {
        "created": files.metadata.get("created"),
        **_section(files.metadata, "origin"),
        "period of the data": _section(files.metadata, "data").get("period"),
    }
    return [
        (str(name).replace("_", " "), str(value))
        for name, value in said.items()
        if isinstance(value, str | int | float) and value != ""
    ]


def _section(metadata: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = metadata.get(name)
    return section if isinstance(section, Mapping) else {}
