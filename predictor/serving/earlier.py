"""A version that answered before, for a request that is sent again."""

from functools import lru_cache
from pathlib import Path

from predictor.artifacts.version import ModelVersion
from predictor.serving.current import serving
from predictor.serving.loading import check_unchanged, load_beside


def earlier(model: ModelVersion, version: str, sha256: str) -> ModelVersion:
    """That version of ``model``, as it answered: with these very files.

    Raises ArtifactError where they are here no more, or cannot be served.
    """
    for known in (model, serving().active(model.name)):
        if (known.version, known.sha256) == (version, sha256):
            return known
    return _loaded(serving().registry.folder(model.name, version), sha256)


@lru_cache(maxsize=1)  # after one activation many requests are sent again
def _loaded(folder: Path, sha256: str) -> ModelVersion:
    loaded = load_beside(folder, chosen=True)
    check_unchanged(loaded, sha256)
    return loaded
