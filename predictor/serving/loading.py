"""Loading a version under the settings' policy, while a worker answers requests."""

from pathlib import Path

from django.conf import settings

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import read_version
from predictor.artifacts.policy import Limits, Policy
from predictor.artifacts.version import ModelVersion, is_prepared, load_prepared, prepare
from predictor.concurrency import run_in_thread
from predictor.scoring.room import room

STORE = ".checked"  # next to the models; no model's name starts with a dot


def model_policy() -> Policy:
    """The policy under which versions are loaded and verified."""
    return Policy(
        limits=Limits(
            model_bytes=settings.MODEL_MAX_MB * 2**20,
            memory=settings.MODEL_MAX_MEMORY_MB * 2**20,
            seconds=settings.MODEL_MAX_SECONDS,
        ),
        modules=frozenset(map(str.strip, settings.MODEL_ALLOW_MODULES)),
        public_key=settings.MODEL_PUBLIC_KEY,
        other_sklearn=settings.MODEL_ALLOW_OTHER_SKLEARN,
        store=Path(settings.MODELS_DIR) / STORE,
        cells=settings.TABLE_CELLS,
        confined=settings.SCORER_CONFINEMENT == "required",
        room=room(),
        scorers=settings.SCORERS,
    )


def load_beside(folder: Path, *, chosen: bool) -> ModelVersion:
    """``load_version`` while other requests go on; ``chosen``: a person named this version.

    Raises ArtifactError.
    """
    policy = model_policy()
    files = run_in_thread(read_version, folder, policy.limits)
    if not run_in_thread(is_prepared, files, policy):
        # Loading waits for child processes, and only the main thread's loop can do that.
        prepare(files, policy)
    return run_in_thread(load_prepared, files, policy, chosen=chosen)


def check_unchanged(loaded: ModelVersion, fingerprint: str) -> None:
    """Raise ArtifactError unless its files have this ``fingerprint``; empty: any is allowed."""
    if fingerprint not in ("", loaded.sha256):
        raise ArtifactError(
            "its files are not those that were activated; put those back, or activate it again"
        )
