"""Files in a container of Azure Blob storage, each complete or absent."""

import filecmp
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from predictor.registry import RegistryError
from predictor.registry.azure_errors import explained


class AzureFiles:
    """Files by name, below a prefix of a container, which is created with the first file.

    Its methods raise RegistryError.
    """

    def __init__(self, account: str, container: ContainerClient, prefix: str) -> None:
        self._account = account
        self._container = container
        self._prefix = f"{prefix}/" if prefix else ""

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None when there is no such file."""
        with self._explained(name):
            try:
                return self._container.download_blob(self._prefix + name).readall()
            except ResourceNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> None:
        """Make ``data`` the content of a file."""
        with self._explained(name):
            self._container.upload_blob(self._prefix + name, data, overwrite=True)

    @contextmanager
    def copy(self, name: str) -> Iterator[Path | None]:
        """A file, downloaded for the length of the block; None when there is no such file."""
        with TemporaryDirectory() as near:
            yield self._download(name, Path(near) / "file")

    @contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        """A path to write to; when the block succeeds, the content is uploaded and compared."""
        with TemporaryDirectory() as near:
            draft = Path(near) / "draft"
            yield draft
            with self._explained(name):
                with suppress(ResourceExistsError):
                    self._container.create_container()
                with draft.open("rb") as file:
                    self._container.upload_blob(self._prefix + name, file, overwrite=True)
            there = self._download(name, Path(near) / "there")
            if there is None or not filecmp.cmp(there, draft, shallow=False):
                raise RegistryError(
                    f"Azure account {self._account}, blob {self._prefix}{name}: it does not hold "
                    "what was sent to it; check who else writes there, then try again"
                )

    def _download(self, name: str, into: Path) -> Path | None:
        with self._explained(name):
            try:
                download = self._container.download_blob(self._prefix + name)
            except ResourceNotFoundError:
                return None
            with into.open("wb") as file:
                download.readinto(file)
        return into

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        with explained(self._account, self._container.container_name, self._prefix + name):
            yield
