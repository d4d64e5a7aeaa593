"""A trained model in the contract's form, and the command line that all trainers share."""

import argparse
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from predictor.artifacts.contract import Feature, build_contract
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import write_version
from predictor.artifacts.inputs import Cell
from predictor.artifacts.names import check_name
from predictor.artifacts.scoring import Scorer
from predictor.artifacts.version import load_version

from .figures import FiguresError
from .outcomes import UnknownOutcome

TOLERANCE = 1e-9  # of a score: another machine may add up in another order


@dataclass(frozen=True)
class Bundle:
    """What ``write_version`` turns into the files of one version."""

    name: str
    estimator: Any
    lookup: Mapping[str, Any]
    flags: list[str]
    metadata: Mapping[str, Any]
    support: Mapping[str, Any] | None = None

    def write(self, models: Path, version: str) -> Path:
        """Write ``models/<name>/<version>``; raises ArtifactError when it exists already."""
        return write_version(
            models / self.name / version,
            self.estimator,
            self.lookup,
            self.flags,
            self.metadata,
            self.support,
        )


def trainer(program: str, description: str) -> argparse.ArgumentParser:
    """The command line of a trainer; its own options can be added."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument(
        "models",
        nargs="?",
        type=Path,
        default=Path(os.environ.get("MODELS_DIR", "models")),
        help="folder of all models (default: MODELS_DIR, else ./models)",
    )
    parser.add_argument("--version", default="1.0.0", help="default: %(default)s")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; compare with the version that is there",
    )
    return parser


def train_and_write(options: argparse.Namespace, name: str, train: Callable[[], Bundle]) -> None:
    """Train and write a version, or with ``--check`` compare with the one that is there.

    Says what was done and how good the model is; ends the program when it cannot be done.
    """
    started = time.perf_counter()
    try:
        folder = options.models / name / check_name("version", options.version)
        if folder.exists() and not options.check:
            raise ArtifactError(
                f"{folder} exists already and versions are final; choose another --version"
            )
        with threadpool_limits(1):  # so little data that threads would only wait for one another
            bundle = train()
            if options.check:
                print(reproduction(bundle, folder))
                return
        bundle.write(options.models, options.version)
    except (ArtifactError, FiguresError, UnknownOutcome) as error:
        sys.exit(f"error: {error}")
    for what, value in bundle.metadata["metrics"].items():
        print(f"  {what.replace('_', ' ')}: {value}")
    print(f"{folder} written in {time.perf_counter() - started:.1f} s")


def reproduction(bundle: Bundle, folder: Path) -> str:
    """Say that ``bundle`` and the version in ``folder`` answer the same on every possible case.

    Raises ArtifactError when they differ.
    """
    published = load_version(folder)
    contract = build_contract(bundle.lookup, bundle.flags, bundle.metadata)
    if contract.params() != published.contract.params():
        raise ArtifactError(f"{folder} has other features or labels than the model trained now")
    if contract.flags != published.contract.flags:
        raise ArtifactError(f"{folder} has other flags than the model trained now")
    rows = [*itertools.product(*(_cells(feature) for feature in contract.features))]
    ours = Scorer(contract, bundle.estimator).score(rows)
    difference = np.abs(np.subtract(ours, published.score(rows))).max()
    if difference > TOLERANCE:
        hints = "".join(f" ({warning})" for warning in published.warnings)
        raise ArtifactError(
            f"{folder} answers otherwise than the model trained now: "
            f"by up to {difference:.2g}{hints}"
        )
    return f"{folder} is reproduced: all {len(rows):,} answers agree within {TOLERANCE:g}"


def _cells(feature: Feature) -> Iterable[Cell]:
    """Every value that can be asked: the codes of a label, the numbers between two bounds."""
    if feature.labels is not None:
        return list(feature.labels.values())
    return range(int(feature.minimum or 0), int(feature.maximum or 0) + 1)
