"""Azure Blob storage as a registry: ``<container>/<version>/model.pkl …``, container = model.

Importing Azure's libraries costs 50 MB and most of a second, so only commands and training
programs import this module: the server never does.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient, ContainerClient

from predictor.artifacts.files import FILES, METADATA, MODEL, PICKLES, most_bytes
from predictor.artifacts.names import check_model_name, check_name, passes, version_key
from predictor.artifacts.policy import Policy
from predictor.artifacts.untrusted import read_json, shown
from predictor.artifacts.version import load_version
from predictor.registry import Progress, RegistryError, unseen
from predictor.registry.azure_errors import explained
from predictor.registry.azure_files import AzureFiles
from predictor.registry.local import LocalRegistry

_CONTAINER = re.compile(r"[a-z0-9](-?[a-z0-9]){2,62}")  # Azure's own rule
_CONTAINER_RULE = "use 3 to 63 lowercase letters, digits and single hyphens"
_REASON = "forced"  # a key of the blob's metadata, which allows ASCII only
_PATIENCE: Mapping[str, Any] = {
    "connection_timeout": 10,  # seconds
    "read_timeout": 60,  # seconds without data
    "retry_total": 3,  # after 1, 3 and 5 seconds: short enough to watch, longer than a hiccup
    "initial_backoff": 1,
    "increment_base": 2,
    "random_jitter_range": 0,
    "max_single_get_size": 4 * 2**20,  # bytes to send again when a connection breaks off
    "max_chunk_get_size": 4 * 2**20,
}


class AzureRegistry:
    """Versions kept in an account of Azure Blob storage."""

    def __init__(self, service: BlobServiceClient, policy: Policy | None = None) -> None:
        """``policy``: the rules under which versions are checked when sent and fetched."""
        self._service = service
        self._policy = policy or Policy()
        self.account = str(service.account_name or service.primary_hostname)

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], policy: Policy | None = None
    ) -> "AzureRegistry":
        """The registry in the ``AZURE_STORAGE_…`` variables, with the first credential that is set.

        ``AZURE_STORAGE_CONNECTION_STRING``, or ``AZURE_STORAGE_ACCOUNT`` (its name, or the URL of
        its blob endpoint) with ``AZURE_STORAGE_SAS_TOKEN`` or ``AZURE_STORAGE_KEY``; without
        either, the machine's identity. Raises RegistryError when none is usable.
        """
        connection = environment.get("AZURE_STORAGE_CONNECTION_STRING", "")
        account = environment.get("AZURE_STORAGE_ACCOUNT", "")
        secret = environment.get("AZURE_STORAGE_SAS_TOKEN") or environment.get("AZURE_STORAGE_KEY")
        if not connection and not account:
            raise RegistryError(
                "no registry is set: set AZURE_STORAGE_ACCOUNT (and AZURE_STORAGE_KEY, unless the "
                "machine has an identity of its own) or AZURE_STORAGE_CONNECTION_STRING"
            )
        try:
            if connection:
                service = BlobServiceClient.from_connection_string(connection, **_PATIENCE)
                return cls(service, policy)
            url = account if "://" in account else f"https://{account}.blob.core.windows.net"
            credential = secret or DefaultAzureCredential()
            return cls(BlobServiceClient(url, credential, **_PATIENCE), policy)
        except ValueError as error:  # the library's own message, which repeats no secret
            name = "AZURE_STORAGE_CONNECTION_STRING" if connection else "AZURE_STORAGE_ACCOUNT"
            raise RegistryError(f"{name} cannot be used: {error}") from error

    def __str__(self) -> str:
        return f"Azure account {self.account}"

    def models(self) -> list[str]:
        """Names of the models that have at least one version, sorted."""
        with explained(self.account):
            names = [container.name for container in self._service.list_containers()]
        return sorted(n for n in names if passes(check_model_name, n) and self.versions(n))

    def versions(self, model: str) -> list[str]:
        """The model's complete versions, lowest first; empty when there is no such container."""
        container = self._container(model)
        found: dict[str, set[str]] = {}
        with explained(self.account, model):
            for path in container.list_blob_names():
                version, _, file = path.partition("/")
                found.setdefault(version, set()).add(file)
        complete = (version for version, files in found.items() if files.issuperset(PICKLES))
        named = (v for v in complete if passes(partial(check_name, "version"), v))
        return sorted(named, key=version_key)

    def exists(self, model: str, version: str) -> bool:
        """Whether that version is there, complete."""
        with explained(self.account, model):
            return self._sizes(model, version).keys() >= set(PICKLES)

    def metadata(self, model: str, version: str) -> Mapping[str, Any]:
        """The version's metadata; see Registry.metadata."""
        path = f"{check_name('version', version)}/{METADATA}"
        with explained(self.account, model, path):
            try:
                data = self._container(model).download_blob(path).readall()
            except ResourceNotFoundError:
                return {}
        return read_json(METADATA, data)

    def forced(self, model: str, version: str) -> str:
        """The reason why a refused version was published by force; empty when it was not."""
        path = f"{check_name('version', version)}/{MODEL}"
        with explained(self.account, model, path):
            kept = self._container(model).get_blob_client(path).get_blob_properties().metadata
        return shown(unquote(kept.get(_REASON, "")))

    def fetch(self, model: str, version: str, into: Path, progress: Progress = unseen) -> Path:
        """Download a version to ``into/<model>/<version>``; see Registry.fetch."""
        fill = partial(self._download, model, version, progress)
        return LocalRegistry(into, self._policy).receive(model, version, fill)

    def publish(self, folder: Path, progress: Progress = unseen, reason: str = "") -> None:
        """Upload the version in ``folder``; see Registry.publish.

        ``reason`` explains why a version is published although its rules refuse it, and is kept
        with it. ``model.pkl`` is uploaded last: a version is listed once it has all its pickles,
        so an interrupted upload stays hidden, and publishing the same files again completes it.
        """
        model, version = folder.parent.name, folder.name
        container = self._container(model)
        load_version(folder, self._policy, chosen=True)
        with explained(self.account, model):
            try:
                there = self._sizes(model, version)
            except ResourceNotFoundError:
                there = {}
                with suppress(ResourceExistsError):  # another publisher was faster
                    container.create_container()
        if there.keys() >= set(PICKLES):
            raise RegistryError(f"{model} {version} exists already in {self}: versions are final")
        for name in sorted(FILES, key=MODEL.__eq__):
            if (folder / name).is_file():
                kept = {_REASON: quote(reason)} if reason and name == MODEL else {}
                self._upload(container, folder / name, progress, kept)

    def files(self, container: str, prefix: str = "") -> AzureFiles:
        """Files other than versions, in a separate container. Raises RegistryError."""
        if not _CONTAINER.fullmatch(container):
            raise RegistryError(f"{container!r} cannot be a container in Azure: {_CONTAINER_RULE}")
        return AzureFiles(self.account, self._service.get_container_client(container), prefix)

    def _download(self, model: str, version: str, progress: Progress, draft: Path) -> None:
        with explained(self.account, model):
            sizes = self._sizes(model, version)
        for name in PICKLES:
            if name not in sizes:
                raise RegistryError(
                    f"{self}, container {model}, blob {version}/{name}: there is no such blob; "
                    "check the version (or VERSION), or publish it again"
                )
        for name, size in sizes.items():
            path = f"{version}/{name}"
            most = most_bytes(name, self._policy.limits)
            if size > most:
                raise RegistryError(
                    f"{self}, container {model}, blob {path}: {size:,} bytes are more than the "
                    f"{most:,} a {name} may have; check what was uploaded"
                )
            hook = partial(progress, name)
            with explained(self.account, model, path), open(draft / name, "wb") as file:
                # the library retries a broken chunk, and requires the same ETag
                self._container(model).download_blob(path, progress_hook=hook).readinto(file)

    def _upload(
        self, container: ContainerClient, file: Path, progress: Progress, kept: dict[str, str]
    ) -> None:
        """Upload ``file``, unless the same bytes are there already; ``kept`` is its metadata."""
        model, blob = container.container_name, f"{file.parent.name}/{file.name}"
        hook = partial(progress, file.name)
        data = file.read_bytes()
        with explained(self.account, model, blob):
            try:
                container.upload_blob(
                    blob, data, overwrite=False, progress_hook=hook, metadata=kept
                )
            except ResourceExistsError:
                if container.download_blob(blob).readall() != data:
                    raise RegistryError(
                        f"{self}, container {model}, blob {blob}: another file is there from a "
                        "publication that broke off; publish under the next version, or delete "
                        "that version's blobs"
                    ) from None

    def _sizes(self, model: str, version: str) -> dict[str, int]:
        """Bytes of each file of the version; other blobs under its prefix are ignored."""
        prefix = f"{check_name('version', version)}/"
        blobs = self._container(model).list_blobs(name_starts_with=prefix)
        sizes = {blob.name.removeprefix(prefix): blob.size for blob in blobs}
        return {name: sizes[name] for name in FILES if name in sizes}

    def _container(self, model: str) -> ContainerClient:
        if not _CONTAINER.fullmatch(check_model_name(model)):
            raise RegistryError(f"{model!r} cannot be a container in Azure: {_CONTAINER_RULE}")
        return self._service.get_container_client(model)
