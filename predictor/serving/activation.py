"""Decide which version of a model answers, and go back. Every decision is on record."""

from collections.abc import Mapping
from contextlib import suppress

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.version import ModelVersion
from predictor.models import Activation, Prediction
from predictor.registry import RegistryError, find_version
from predictor.registry.tracking import announce
from predictor.serving.canary import end_trial
from predictor.serving.current import serving
from predictor.serving.loading import check_unchanged, load_beside
from predictor.serving.verdicts import objection

_LONGEST_REASON = 500  # the column's length


class ActivationError(RuntimeError):
    """The version cannot be put in service; nothing was switched."""


class NoSuchVersion(ActivationError, RegistryError):
    """There is no such version to put in service."""


def in_service(model: str) -> str:
    """The version that should answer, or empty.

    The pinned version, else the activated one; if none was activated, the one that answers, and if
    none answers, the highest.
    """
    if pin := serving().pinned(model):
        return pin
    if chain := Activation.chain(model):
        return chain[-1]
    return serving().answering(model) or (serving().registry.versions(model) or [""])[-1]


def answering(model: str) -> str:
    """The version that answers now; if no server runs on this machine, the one that would."""
    return serving().answering(model) or in_service(model)


def activate(  # noqa: PLR0913 - what, who, why, and what the person saw
    model: str,
    version: str,
    by: str,
    reason: str = "",
    instead_of: str | None = None,
    *,
    force: bool = False,
) -> Activation:
    """Put a version (or ``latest``) in service; every worker follows within 2 s.

    ``instead_of`` is the version in service when the person decided, if they saw one. ``force``
    activates a version that its rules refuse, and needs a ``reason``. Raises ActivationError when
    it answers already, another is pinned, it cannot be served or its rules refuse it (these
    attempts are on record too), or another person decided meanwhile; NoSuchVersion, which is also
    a RegistryError, when there is none; ArtifactError for an unusable name.
    """
    check_pin(model)
    if force and not reason.strip():
        raise ActivationError("to activate by force, say why: it goes on record")
    try:
        version = find_version(serving().registry, model, version)
    except RegistryError as error:
        raise NoSuchVersion(str(error)) from error
    chain = Activation.chain(model)
    decision = Activation(model=model, version=version, by=by, reason=reason)
    decision.previous = chain[-1] if chain else _answered_before(model, version)
    try:
        loaded = load_chosen(model, version)
    except ArtifactError as error:
        raise _refused(decision, f"it cannot be served: {error}") from error
    decision.sha256 = loaded.sha256
    _check_rules(decision, objection(loaded), force=force)
    # the same name with other files is a new decision
    known = Activation.fingerprint(model, version)
    if chain[-1:] == [version] and known in ("", decision.sha256):
        raise ActivationError(f"{model} {version} is active already")
    if instead_of is not None and instead_of != in_service(model):
        raise _overtaken(model)
    return _recorded(decision, chain)


def _check_rules(decision: Activation, problem: str, *, force: bool) -> None:
    """Raise ActivationError for a ``problem``, or record that the decision was by force."""
    if problem and not force:
        raise _refused(decision, problem)
    if problem:
        decision.reason = f"by force ({problem}): {decision.reason}"[:_LONGEST_REASON]


def begin_with(versions: Mapping[str, str]) -> list[Activation]:
    """Activate these versions of models without an activation; returns what was recorded.

    No file is read: there may be none where a database is migrated.
    """
    begun = []
    for name, version in versions.items():
        model = name or settings.DEFAULT_MODEL
        decision = Activation(model=model, version=version, by="deployment", reason="the first")
        with suppress(ActivationError), transaction.atomic():
            begun.append(_recorded(decision, []))
    return begun


def roll_back(
    model: str, by: str, reason: str = "", *, instead_of: list[str] | None = None
) -> Activation:
    """Go back to the last version that answered before this one and can still be served.

    ``instead_of`` is the chain of versions (Activation.chain) that the person saw. Raises
    ActivationError when there is no earlier version, when the model's version is pinned, or when
    another person decided meanwhile.
    """
    check_pin(model)
    chain = Activation.chain(model) if instead_of is None else instead_of
    *earlier, current = chain or [""]
    for version in reversed(earlier):
        try:
            loaded = load_chosen(model, version)
            check_unchanged(loaded, Activation.fingerprint(model, version))
        except ArtifactError:
            continue
        decision = Activation(
            kind=Activation.Kind.ROLLBACK,
            model=model,
            version=version,
            sha256=loaded.sha256,
            previous=current,
            by=by,
            reason=reason[:_LONGEST_REASON],
        )
        return _recorded(decision, chain)
    raise ActivationError(
        f"{model} cannot be rolled back: there is no earlier version that can be served; "
        "activate one"
    )


def _recorded(decision: Activation, seen: list[str]) -> Activation:
    """Put the decision on record, unless another was recorded after ``seen``."""
    with transaction.atomic():
        # decisions queue here: PostgreSQL locks this row, SQLite the file
        kind = ContentType.objects.get_for_model(Activation)
        ContentType.objects.select_for_update().get(pk=kind.pk)
        if Activation.chain(decision.model) != seen:
            raise _overtaken(decision.model)
        decision.save()
        # a trial compares with the version that answered then
        end_trial(decision.model, decision.by, f"{decision.version} was put in service")
    announce(decision.model, decision.sha256)
    return decision


def _refused(decision: Activation, problem: str) -> ActivationError:
    """Record that the decision was not carried out; returns the error to raise."""
    decision.problem, decision.refused = problem, True
    decision.save()
    return ActivationError(
        f"{decision.model} {decision.version} was not activated, because {problem}"
    )


def _overtaken(model: str) -> ActivationError:
    newest = Activation.objects.filter(model=model, refused=False).first()
    who = f" ({newest.kind} by {newest.by})" if newest else ""
    return ActivationError(
        f"nothing was switched: {in_service(model)} of {model} is in service now{who}, "
        "so look again"
    )


def _answered_before(model: str, version: str) -> str:
    """The version that answered before any activation, from the log, else the highest."""
    others = [other for other in serving().registry.versions(model) if other != version]
    logged = Prediction.objects.filter(model=model).order_by("-id")
    last = logged.values_list("version", flat=True).first()
    if last == version:
        return ""
    return last if last in others else (others or [""])[-1]


def check_pin(model: str) -> None:
    """Raise ActivationError when MODEL_VERSION pins the model."""
    if pin := serving().pinned(model):
        raise ActivationError(
            f"{model} is pinned to {pin} by MODEL_VERSION; unset it to activate another version"
        )


def load_chosen(model: str, version: str) -> ModelVersion:
    """The version, loaded as a server would load it. Raises ArtifactError."""
    return load_beside(serving().registry.folder(model, version), chosen=True)
