"""From an estimator that was just fitted to a version that a server can serve."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from .files import write_version


def save_model(
    estimator: Any,
    folder: str | PathLike[str],
    *,
    lookup: Mapping[str, Any],
    flags: Any,
    metadata: Mapping[str, Any] | None = None,
) -> Path:
    """Write ``folder`` (``…/<model>/<version>``) with the three pickles and ``metadata.json``.

    ``lookup`` describes the inputs in the estimator's column order: a feature's name → its labels,
    each with the number the estimator knows it by, or a number for a numeric feature. ``flags``
    names the outputs: a list in the estimator's own order, ``estimator.classes_``, or a mapping
    from class to name. The folder appears complete or not at all. Raises ArtifactError when it
    exists already, since versions are final, or the parts disagree.
    """
    return write_version(Path(folder), estimator, lookup, flags, metadata)
