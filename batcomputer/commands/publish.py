"""``batcomputer publish``: versions from this machine to Azure Blob storage."""

import argparse
import sys
from pathlib import Path

from batcomputer.home import environment
from predictor.artifacts.errors import ArtifactError
from predictor.evidence.errors import RefusedError
from predictor.registry import RegistryError
from predictor.registry.publication import publish


def main(arguments: list[str] | None = None) -> None:
    """The command line; exit code 3 when a rule refuses a version, 1 for other failures."""
    parser = argparse.ArgumentParser(
        prog="batcomputer publish",
        description="Publish versions to Azure Blob storage. They are final there: a published "
        "version is never overwritten. AZURE_STORAGE_… in the environment or .env say where, and "
        "with which credential.",
    )
    parser.add_argument(
        "versions", nargs="+", type=Path, metavar="FOLDER", help="such as models/iris/1.0.0"
    )
    parser.add_argument("--force", action="store_true", help="even if their rules refuse them")
    parser.add_argument("--reason", default="", help="why; --force needs it")
    options = parser.parse_args(arguments)
    reason = options.reason.strip() if options.force else ""
    if options.force and not reason:
        parser.error("--force needs a --reason")
    for folder in options.versions:
        try:
            print(publish(folder.absolute(), environment(), reason))
        except RefusedError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(error.status)
        except (ArtifactError, RegistryError) as error:
            sys.exit(f"error: {error}")
