"""``python -m training.publish MODELS/NAME/VERSION…``: publish versions to Azure Blob storage.

The ``AZURE_STORAGE_…`` variables set the account and the credential (docs/registry.md). A version
is final and never overwritten.
"""

import os
from pathlib import Path

from predictor.artifacts.errors import ArtifactError
from predictor.evidence.errors import EvidenceError, RefusedError
from predictor.registry import RegistryError
from predictor.registry.publication import publish

from .ending import one_sentence
from .trainer import forced
from .usage import command_line


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
            print(publish(folder.absolute(), os.environ, why.get("reason", "")))


if __name__ == "__main__":
    main()
