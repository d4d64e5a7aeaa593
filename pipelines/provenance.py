"""Say where an image comes from: the predicate of a SLSA provenance (https://slsa.dev/provenance/v1).

``python -m pipelines.provenance --base IMAGE@DIGEST --models FOLDER --revision COMMIT --source URI
--run URI`` prints JSON, which cosign signs and stores next to the image.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILD_TYPE = "https://slsa-framework.github.io/container-build/v1"  # a docker build of a Dockerfile


def predicate(base: str, models: Path, revision: str, source: str, run: str) -> dict[str, Any]:
    """The predicate: commit, base image, packages and models with their hashes, and the builder."""
    image, _, digest = base.partition("@sha256:")
    if not digest:
        raise ValueError(f"{base!r} names no digest (image@sha256:…)")
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"source": source, "dockerfile": "Dockerfile"},
            "resolvedDependencies": [
                {"uri": f"git+{source}", "digest": {"gitCommit": revision}},
                {"uri": f"docker://{image}", "digest": {"sha256": digest}},
                *map(described, [ROOT / "requirements.txt", *files_of(models)]),
            ],
        },
        "runDetails": {
            "builder": {"id": "azure-pipelines/release.yml"},
            "metadata": {"invocationId": run},
        },
    }


def files_of(models: Path) -> Iterator[Path]:
    """The files of every version in a folder of models, without the server's files next to them."""
    return (path for path in sorted(models.glob("[!.]*/*/*")) if path.is_file())


def described(path: Path) -> dict[str, Any]:
    """A file as a resource: its last folders and name, and its SHA-256."""
    return {
        "name": "/".join(path.parts[-3:]) if path.parent != ROOT else path.name,
        "digest": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the predicate; returns 1 when the base is not given by digest."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("base", "revision", "source", "run"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--models", type=Path, required=True)
    given = parser.parse_args(arguments)
    try:
        found = predicate(**vars(given))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
