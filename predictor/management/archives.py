"""The archive of the log that a command or a setting names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from predictor.log.archive_places import Folder, Place
from predictor.log.archived_rows import ArchiveError
from predictor.registry import RegistryError

_AZURE = "azure:"


def log_archive() -> Place | None:
    """Where LOG_ARCHIVE says; None where it says nothing. Raises RegistryError."""
    return archive_at(settings.LOG_ARCHIVE) if settings.LOG_ARCHIVE else None


def archive_at(place: str) -> Place:
    """A folder, or ``azure:CONTAINER/PREFIX`` of the account that the settings name.

    Raises RegistryError where that cannot be used.
    """
    if not place.startswith(_AZURE):
        return Folder(Path(place))
    # 50 MB and most of a second, which an archive in a folder does not need
    from predictor.management.remote import remote_registry  # noqa: PLC0415

    container, _, prefix = place.removeprefix(_AZURE).strip("/").partition("/")
    return remote_registry().files(container, prefix)


@contextmanager
def expected() -> Iterator[None]:
    """What goes wrong in the account is an ArchiveError, which upkeep says in one sentence."""
    try:
        yield
    except RegistryError as error:
        raise ArchiveError(str(error)) from error
