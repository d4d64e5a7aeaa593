"""Loading a version under the settings' policy, beside the requests of a worker."""

from pathlib import Path

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import read_version
from predictor.artifacts.version import ModelVersion, is_prepared, load_prepared, prepare
from predictor.concurrency import aside
from predictor.serving.policy import model_policy


def load_beside(folder: Path, *, chosen: bool) -> ModelVersion:
    """``load_version`` while other requests go on; ``chosen``: a person named this version.

    Raises ArtifactError.
    """
    policy = model_policy()
    files = aside(read_version, folder, policy.limits)
    if not aside(is_prepared, files, policy):
        # Other processes are waited for, and only the main thread's loop can do that.
        prepare(files, policy)
    return aside(load_prepared, files, policy, chosen=chosen)


def check_unchanged(loaded: ModelVersion, fingerprint: str) -> None:
    """Raise ArtifactError when its files are not those with ``fingerprint``; empty: any will do."""
    if fingerprint not in ("", loaded.sha256):
        raise ArtifactError(
            "its files are not those that were activated; put those back, or activate it again"
        )
