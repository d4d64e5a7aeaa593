"""What the settings allow a model version to be."""

from pathlib import Path

from django.conf import settings

from predictor.artifacts.policy import Limits, Policy

STORE = ".checked"  # beside the models; no model's name starts with a dot


def model_policy() -> Policy:
    """The policy that versions are loaded and verified under."""
    return Policy(
        limits=Limits(
            model_bytes=settings.MODEL_MAX_MB * 2**20,
            memory=settings.MODEL_MAX_MEMORY_MB * 2**20,
            seconds=settings.MODEL_MAX_SECONDS,
        ),
        modules=frozenset(settings.MODEL_ALLOW_MODULES),
        public_key=settings.MODEL_PUBLIC_KEY,
        other_sklearn=settings.MODEL_ALLOW_OTHER_SKLEARN,
        store=Path(settings.MODELS_DIR) / STORE,
        cells=settings.TABLE_CELLS,
    )
