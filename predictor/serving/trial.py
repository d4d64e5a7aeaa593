"""Begin a trial: the checks before a candidate answers a share of callers."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.version import ModelVersion
from predictor.models import Trial
from predictor.registry import find_version
from predictor.serving.activation import ActivationError, check_pin, in_service, load_chosen
from predictor.serving.canary import difference
from predictor.serving.current import serving
from predictor.serving.verdicts import objection


def try_version(  # noqa: PLR0913 - what, which callers, how long, who and why
    model: str,
    version: str,
    share: float,
    by: str,
    reason: str = "",
    lasts: timedelta | None = None,
) -> Trial:
    """Have a version answer ``share`` (above 0, at most 1) of callers, within 2 s.

    The trial ends with ``end_trial``, after ``lasts``, or with the next activation or rollback.
    Raises ActivationError when the version answers already, has another contract, cannot be served,
    is refused by its rules, or another trial runs; RegistryError when there is no such version,
    ArtifactError for an unusable name.
    """
    check_pin(model)
    if not 0 < share <= 1:
        raise ActivationError("the share of callers must be above 0 and at most 100 %")
    version = find_version(serving().registry, model, version)
    active = in_service(model)
    if version == active:
        raise ActivationError(f"{model} {version} answers all callers already")
    try:
        candidate = load_chosen(model, version)
        answers = load_chosen(model, active)
    except ArtifactError as error:
        raise _refused(model, version, f"it cannot be served: {error}") from error
    if differing := difference(answers, candidate):
        why = f"callers of {active} would get another contract ({differing}); activate it instead"
        raise _refused(model, version, why)
    if problem := objection(candidate):
        raise _refused(model, version, problem)
    ends = None if lasts is None else timezone.now() + lasts
    return _recorded(candidate, Trial(share=share, by=by, reason=reason, ends=ends))


def _recorded(candidate: ModelVersion, trial: Trial) -> Trial:
    trial.model, trial.version = candidate.name, candidate.version
    trial.sha256 = candidate.sha256
    now = timezone.now()
    overdue = Trial.objects.filter(model=trial.model, ended=None, ends__lte=now)
    overdue.update(ended=now, ended_because="its time is over")
    try:
        with transaction.atomic():
            trial.save()
    except IntegrityError:
        running = Trial.running().get(trial.model)
        tried = running.version if running else "another version"
        raise ActivationError(
            f"{trial.model} {tried} is being tried; end that first (try_model --end)"
        ) from None
    return trial


def _refused(model: str, version: str, why: str) -> ActivationError:
    return ActivationError(f"{model} {version} is not tried, because {why}")
