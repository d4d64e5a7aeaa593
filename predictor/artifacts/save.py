"""From a fitted estimator to a version that a server can serve."""

import os
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from .errors import ArtifactError
from .files import write_version
from .policy import Policy


def save_model(  # noqa: PLR0913 - all but two have a default
    estimator: Any,
    folder: str | PathLike[str],
    *,
    data: Any = None,
    target: str = "",
    features: Sequence[str] = (),
    lookup: Mapping[str, Any] | None = None,
    flags: Any = None,
    metadata: Mapping[str, Any] | None = None,
) -> Path:
    """Write ``folder`` (``…/<model>/<version>``) with the three pickles and ``metadata.json``.

    ``data`` is what the estimator was fitted on (a data frame, an array, a list of texts or of
    dictionaries); the rest is then drafted from the two. ``target`` names the predicted column,
    ``features`` the columns that are used. The version is examined, the estimator and the version
    both score some rows, the comparison is printed, and the folder appears only if they agree.
    ``MODEL_ALLOW_MODULES`` allows classes of your own package.

    Without ``data``, ``lookup`` describes the inputs in the estimator's column order: a feature's
    name → its labels, each with its code in training, or a number for a numeric feature. ``flags``
    names the outputs: a list in the estimator's own order, ``estimator.classes_``, or a mapping
    from class to name.

    The folder appears complete or not at all. Raises ArtifactError when it exists already, since
    versions are final, the parts disagree, or the version would not answer as the estimator does.
    """
    folder = Path(folder)
    if data is None:
        if lookup is None or flags is None:
            raise ArtifactError(
                "save_model needs data=X_train to draft the lookup and the flags from, or both of "
                "them: lookup={…}, flags=[…]"
            )
        return write_version(folder, estimator, lookup, flags, metadata)
    # pandas takes half a second, and is needed only with data
    from .bringing import bring  # noqa: PLC0415
    from .bringing.draft import Described  # noqa: PLC0415
    from .bringing.training_data import training_data  # noqa: PLC0415

    found = training_data(estimator, data, target, features)
    described = Described(lookup, flags, metadata, target)
    return bring(estimator, folder, [found], described, Policy.from_environment(os.environ))
