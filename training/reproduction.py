"""Does training today reproduce a published version? Compares every possible answer."""

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from predictor.artifacts.contract import Feature, build_contract
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import SUPPORT
from predictor.artifacts.inputs import Cell
from predictor.artifacts.scoring import Scorer
from predictor.artifacts.untrusted import load_json
from predictor.artifacts.version import ModelVersion, load_version

from .bundle import Bundle, libraries

TOLERANCE = 1e-9  # of a score: another machine may add in another order
ROUNDED = 2e-4  # of an interval, which has four places


def reproduction(bundle: Bundle, folder: Path) -> str:
    """A sentence that ``bundle`` and the version in ``folder`` have the same answers to all cases.

    And the same intervals, if there are any. Raises ArtifactError when they differ.
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
        raise ArtifactError(
            f"{folder} answers otherwise than the model trained now: "
            f"by up to {difference:.2g}{_reasons(bundle, published)}"
        )
    if not _same_support(bundle.support, folder):
        raise ArtifactError(f"{folder / SUPPORT} has other intervals than those found now")
    return f"{folder} is reproduced: all {len(rows):,} answers agree within {TOLERANCE:g}"


def _reasons(bundle: Bundle, published: ModelVersion) -> str:
    """In brackets, the differences from the training of ``published``."""
    then = {**published.metadata.get("libraries", {})}
    changed = [
        f"{name} was {then[name]} and is {now}"
        for name, now in libraries().items()
        if then.get(name, now) != now
    ]
    ours, theirs = (
        metadata.get("data", {}).get("figures_sha256")
        for metadata in (bundle.metadata, published.metadata)
    )
    if ours != theirs:
        changed.insert(0, "it learnt from other figures")
    return f" ({', '.join(changed)})" if changed else ""


def _same_support(ours: Mapping[str, Any] | None, folder: Path) -> bool:
    path = folder / SUPPORT
    if ours is None or not path.exists():
        return ours is None and not path.exists()
    theirs = load_json(SUPPORT, path.read_bytes())
    return bool(ours["n"] == theirs["n"]) and all(
        np.allclose(ours["interval"][flag][end], theirs["interval"][flag][end], atol=ROUNDED)
        for flag in ours["interval"]
        for end in ("low", "high")
    )


def _cells(feature: Feature) -> Iterable[Cell]:
    """Every possible cell: the codes of labels, the numbers between two bounds."""
    if feature.labels is not None:
        return list(feature.labels.values())
    return range(int(feature.minimum or 0), int(feature.maximum or 0) + 1)
