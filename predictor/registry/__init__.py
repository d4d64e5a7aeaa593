"""Where versions live: one interface, with a local folder and Azure Blob storage behind it.

No Django in it, so that training programs and notebooks publish with the same classes.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.names import version_key
from predictor.evidence.verdict import Result, result_of

LATEST = "latest"  # means the newest version that passed its rules

Progress = Callable[[str, int, int], None]
"""Called while a file is copied: the file's name, the bytes moved so far, the bytes in all."""


class RegistryError(RuntimeError):
    """A registry operation failed; the message is one sentence with what to check."""


def unseen(file: str, moved: int, total: int) -> None:
    """A ``Progress`` that shows nothing."""


class Registry(Protocol):
    """A place that keeps versions. A complete version is final and never overwritten.

    Every method raises RegistryError when the place cannot be read or written, and ArtifactError
    for a name that no model or version may have.
    """

    def models(self) -> list[str]:
        """Names of the models that have at least one version, sorted."""

    def versions(self, model: str) -> list[str]:
        """The model's complete versions, lowest first."""

    def exists(self, model: str, version: str) -> bool:
        """Whether the complete version is there."""

    def metadata(self, model: str, version: str) -> Mapping[str, Any]:
        """The version's metadata.json, read without its pickles; empty when there is none.

        Raises ArtifactError when it cannot be read.
        """

    def fetch(self, model: str, version: str, into: Path, progress: Progress = unseen) -> Path:
        """Copy a version to ``into/<model>/<version>``; the folder appears checked or not at all.

        Raises ArtifactError when the files are there but cannot be served.
        """

    def publish(self, folder: Path, progress: Progress = unseen) -> None:
        """Add the version in ``folder`` (``…/<model>/<version>``), checked before it is sent.

        Raises ArtifactError when it cannot be served.
        """


def find_version(registry: Registry, model: str, version: str) -> str:
    """``version`` when the registry has it; for ``latest`` the newest that passed its rules.

    If no version was ever judged, the newest. Raises RegistryError naming the existing versions.
    """
    known = registry.versions(model)
    if known and version == LATEST:
        return _latest(registry, model, known)
    if version in known:
        return version
    if not known:
        models = ", ".join(registry.models()[:10]) or "none"
        raise RegistryError(f"{registry} has no version of {model}; its models: {models}")
    wanted = f"version {version!r}" if version else "version that answers"
    raise RegistryError(f"{registry} has no {wanted} of {model}: it has {', '.join(known[-10:])}")


def _latest(registry: Registry, model: str, known: list[str]) -> str:
    """The newest by creation time, then by number."""
    described = {version: _described(registry, model, version) for version in known}
    results = {version: result_of(metadata) for version, metadata in described.items()}
    for wanted in (Result.PASSED, None):
        if found := [version for version in known if results[version] is wanted]:
            return max(found, key=lambda v: (str(described[v].get("created", "")), version_key(v)))
    raise RegistryError(
        f"{registry} has no version of {model} that passed its rules: name one of "
        f"{', '.join(known[-10:])}"
    )


def _described(registry: Registry, model: str, version: str) -> Mapping[str, Any]:
    """The version's metadata, empty if unreadable: loading the version reports that."""
    try:
        return registry.metadata(model, version)
    except ArtifactError:
        return {}
