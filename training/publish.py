"""``python -m training.publish MODELS/NAME/VERSION…``: publish versions to Azure Blob storage.

Where, and with which credential, the ``AZURE_STORAGE_…`` variables say (docs/registry.md). A
version is final: none is ever written over.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from predictor.artifacts.errors import ArtifactError
from predictor.evidence.errors import EvidenceError
from predictor.registry import RegistryError
from predictor.registry.azure import AzureRegistry

from .ending import one_sentence
from .gate import RefusedError, check_published
from .trainer import forced
from .usage import command_line


def publish(folder: Path, environment: Mapping[str, str], *, force: bool = False) -> str:
    """Publish the version in ``folder`` and say where it went.

    Raises RegistryError when the registry cannot take it, ArtifactError when it cannot be served,
    RefusedError when its verdict is that it is refused, unless with ``force``.
    """
    if not force:
        check_published(folder)
    registry = AzureRegistry.from_environment(environment)
    name = f"{folder.parent.name} {folder.name}"
    with tqdm(unit="B", unit_scale=True, desc=name, disable=None) as bar:
        registry.publish(folder, lambda file, moved, total: _show(bar, file, moved, total))
    return f"{name} is published to {registry}"


def _show(bar: "tqdm[Any]", file: str, moved: int, total: int) -> None:
    bar.set_postfix_str(file, refresh=False)
    bar.total, bar.n = total, moved
    bar.refresh()


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = command_line("training.publish", __doc__)
    parser.add_argument("versions", nargs="+", type=Path, help="such as models/crime/1.0.0")
    parser.add_argument("--force", action="store_true", help="also what its rules refuse")
    parser.add_argument("--reason", default="", help="why; --force needs it")
    options = parser.parse_args(arguments)
    with one_sentence(ArtifactError, RegistryError, EvidenceError, RefusedError):
        why = forced(options)
        for folder in options.versions:
            said = publish(folder, os.environ, force=options.force)
            print(f"{said}, by force: {why['reason']}" if why else said)


if __name__ == "__main__":
    main()
