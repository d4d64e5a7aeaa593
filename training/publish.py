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
from predictor.registry import RegistryError
from predictor.registry.azure import AzureRegistry

from .ending import one_sentence
from .usage import command_line


def publish(folder: Path, environment: Mapping[str, str]) -> str:
    """Publish the version in ``folder`` and say where it went.

    Raises RegistryError when the registry cannot take it, ArtifactError when it cannot be served.
    """
    registry = AzureRegistry.from_environment(environment)
    with tqdm(unit="B", unit_scale=True, desc=f"{folder.parent.name} {folder.name}") as bar:
        registry.publish(folder, lambda file, moved, total: _show(bar, file, moved, total))
    return f"{folder.parent.name} {folder.name} is published to {registry}"


def _show(bar: "tqdm[Any]", file: str, moved: int, total: int) -> None:
    bar.set_postfix_str(file, refresh=False)
    bar.total, bar.n = total, moved
    bar.refresh()


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = command_line("training.publish", __doc__)
    parser.add_argument("versions", nargs="+", type=Path, help="such as models/crime/1.0.0")
    options = parser.parse_args(arguments)
    with one_sentence(ArtifactError, RegistryError):
        for folder in options.versions:
            print(publish(folder, os.environ))


if __name__ == "__main__":
    main()
