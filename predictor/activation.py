"""Decide which version of a model answers, and go back. Every decision is on record."""

from predictor.artifacts.errors import ArtifactError
from predictor.loading import load_beside
from predictor.models import Activation
from predictor.registry import find_version
from predictor.serving import serving


class ActivationError(RuntimeError):
    """Another version cannot be put in service; nothing was switched."""


def in_service(model: str) -> str:
    """The version that is to answer: the pinned, else the active, else the highest; or nothing."""
    versions = Activation.standing(model) or serving().registry.versions(model)
    return serving().pinned(model) or (versions[-1] if versions else "")


def activate(model: str, version: str, by: str, reason: str = "") -> Activation:
    """Put a version (or ``latest``) in service; every worker follows within 2 s.

    Raises ActivationError when it answers already, is pinned otherwise or cannot be served (that
    attempt is on record too), RegistryError when there is no such version, ArtifactError for an
    unusable name.
    """
    _check_pin(model)
    registry = serving().registry
    version = find_version(registry, model, version)
    standing = Activation.standing(model)
    if standing and standing[-1] == version:
        raise ActivationError(f"{model} {version} is active already")
    others = [other for other in registry.versions(model) if other != version]
    decision = Activation(
        model=model,
        version=version,
        previous=(standing or others or [""])[-1],  # without an activation the highest answered
        by=by,
        reason=reason,
    )
    decision.problem = _fault(model, version)
    if decision.problem:
        decision.refused = True
        decision.save()
        raise ActivationError(
            f"{model} {version} was not activated, because it cannot be served: {decision.problem}"
        )
    decision.save()
    return decision


def roll_back(model: str, by: str, reason: str = "") -> Activation:
    """Go back to the last version that answered before this one and can still be served.

    Raises ActivationError when there is none, or when the model's version is pinned.
    """
    _check_pin(model)
    *earlier, current = Activation.standing(model) or [""]
    for version in reversed(earlier):
        if not _fault(model, version):
            return Activation.objects.create(
                kind=Activation.Kind.ROLLBACK,
                model=model,
                version=version,
                previous=current,
                by=by,
                reason=reason,
            )
    raise ActivationError(
        f"{model} cannot be rolled back: there is no earlier version that can be served; "
        "activate one"
    )


def _check_pin(model: str) -> None:
    if pin := serving().pinned(model):
        raise ActivationError(
            f"{model} is pinned to {pin} by MODEL_VERSION; unset it to activate another version"
        )


def _fault(model: str, version: str) -> str:
    """Why the version cannot be served; nothing when it can."""
    try:
        load_beside(serving().registry.folder(model, version), chosen=True)
    except ArtifactError as error:
        return str(error)
    return ""
