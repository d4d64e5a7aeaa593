"""Between a folder and the registry that the environment names.

Publishing obeys the rules: a version that its own verdict refuses is not published.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from predictor.artifacts.files import MODEL, read_metadata
from predictor.artifacts.policy import Policy
from predictor.evidence.errors import RefusedError
from predictor.evidence.verdict import Result, refusals_of, result_of
from predictor.registry import RegistryError, find_version
from predictor.registry.transfers import transfer_bars

if TYPE_CHECKING:
    from predictor.registry.azure import AzureRegistry


def publish(folder: Path, environment: Mapping[str, str], reason: str = "") -> str:
    """Publish the version in ``folder`` to the registry in ``environment``, and say where it is.

    With a ``reason``, also a version that its rules refuse. Raises RegistryError when the registry
    cannot take it, ArtifactError when it cannot be served, RefusedError when its verdict refuses
    it.
    """
    return publish_to(lambda: _registry(environment), folder, reason)


def publish_to(registry: Callable[[], AzureRegistry], folder: Path, reason: str = "") -> str:
    """The same, to the registry that ``registry`` returns; it is called once the rules allow it."""
    metadata = read_metadata(folder)
    refused = result_of(metadata) is Result.REFUSED
    if refused and not reason:
        raise RefusedError(
            f"{folder.parent.name} {folder.name} is not published: refused by "
            f"{refusals_of(metadata)} (--force with --reason publishes it anyway)"
        )
    account = registry()
    with transfer_bars() as progress:
        account.publish(folder, progress, reason if refused else "")
    said = f"{folder.parent.name} {folder.name} is published to {account}"
    return f"{said}, by force: {reason}" if refused else said


def fetch_missing(folder: Path, environment: Mapping[str, str]) -> None:
    """Copy the version ``…/<model>/<version>`` into ``folder`` from ``environment``'s registry.

    Does nothing if it is there. Files are copied one by one, the model last: file systems of Spark
    clusters may not support renaming. Raises RegistryError and ArtifactError.
    """
    if (folder / MODEL).exists():
        return
    registry, model = _registry(environment), folder.parent.name
    version = find_version(registry, model, folder.name)
    with TemporaryDirectory() as near:
        fetched = registry.fetch(model, version, Path(near))
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(fetched.iterdir(), key=lambda path: path.name == MODEL):
            shutil.copyfile(path, folder / path.name)


def _registry(environment: Mapping[str, str]) -> AzureRegistry:
    policy = Policy.from_environment(environment)
    try:
        # the import takes most of a second, and training and packing do not need it
        from predictor.registry.azure import AzureRegistry  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise RegistryError(
            "Blob storage needs the libraries of Azure: pip install 'batcomputer[azure]'"
        ) from error
    return AzureRegistry.from_environment(environment, policy)
