"""Publishing under the rules: what a version's own verdict refuses is not published."""

from collections.abc import Mapping
from pathlib import Path

from predictor.artifacts.files import read_metadata
from predictor.artifacts.policy import Policy
from predictor.evidence.errors import RefusedError
from predictor.evidence.verdict import Result, refusals_of, result_of
from predictor.registry import Registry, RegistryError
from predictor.registry.transfers import transfer_bars


def check_published(folder: Path) -> None:
    """Raises RefusedError for a version whose verdict is that it is refused, forced or not."""
    metadata = read_metadata(folder)
    if result_of(metadata) is Result.REFUSED:
        raise RefusedError(
            f"{folder.parent.name} {folder.name} is not published: refused by "
            f"{refusals_of(metadata)} (--force with --reason publishes it all the same)"
        )


def publish(folder: Path, environment: Mapping[str, str], *, force: bool = False) -> str:
    """Publish the version in ``folder`` where ``environment`` says, and say where it went.

    Raises RegistryError when the registry cannot take it, ArtifactError when it cannot be served,
    RefusedError when its verdict is that it is refused, unless with ``force``.
    """
    if not force:
        check_published(folder)
    registry = _registry(environment)
    with transfer_bars() as progress:
        registry.publish(folder, progress)
    return f"{folder.parent.name} {folder.name} is published to {registry}"


def _registry(environment: Mapping[str, str]) -> Registry:
    policy = Policy.from_environment(environment)
    try:
        # they take most of a second, and training and packing do without them
        from predictor.registry.azure import AzureRegistry  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise RegistryError(
            "publishing needs the libraries of Azure: pip install 'batcomputer[azure]'"
        ) from error
    return AzureRegistry.from_environment(environment, policy)
