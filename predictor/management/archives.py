"""Opens the log archive that a command or a setting names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from predictor.log.archive_places import Folder, Place
from predictor.log.archived_rows import ArchiveError
from predictor.registry import RegistryError

_AZURE = "azure:"


def log_archive() -> Place | None:
    """The archive of LOG_ARCHIVE; None if the setting is empty. Raises RegistryError."""
    return archive_at(settings.LOG_ARCHIVE) if settings.LOG_ARCHIVE else None


def archive_at(place: str) -> Place:
    """An archive in a folder, or in ``azure:CONTAINER/PREFIX`` of the account in the settings.

    Raises RegistryError if it cannot be used.
    """
    if not place.startswith(_AZURE):
        return Folder(Path(place))
    # costs 50 MB and most of a second, and an archive in a folder does not need it
    from predictor.management.remote import remote_registry  # noqa: PLC0415

    container, _, prefix = place.removeprefix(_AZURE).strip("/").partition("/")
    return remote_registry().files(container, prefix)


@contextmanager
def expected() -> Iterator[None]:
    """Turn the account's errors into ArchiveError, which upkeep reports in one sentence."""
    try:
        yield
    except RegistryError as error:
        raise ArchiveError(str(error)) from error
