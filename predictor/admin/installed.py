"""The models and versions in MODELS_DIR, as admin lists them."""

from collections.abc import Sequence
from dataclasses import dataclass

from predictor.artifacts.version import ModelVersion
from predictor.models import Activation, Trial
from predictor.serving.activation import in_service
from predictor.serving.current import serving
from predictor.serving.errors import ModelUnavailable


@dataclass(frozen=True)
class InstalledVersion:
    """A version in MODELS_DIR."""

    name: str
    answers: bool
    awaited: bool  # should answer, and does not
    problem: str  # why it was refused or failed at its last activation
    verdict: str  # the result of its examination, if it answers
    past: str  # its last decision, if it does not answer


@dataclass(frozen=True)
class InstalledModel:
    """A model in MODELS_DIR, its highest version first."""

    name: str
    pinned: str
    problem: str  # why the chosen version does not answer
    is_replaced: bool  # whether another version answers instead of the chosen one
    earlier: bool  # whether a rollback has an earlier version to return to
    versions: list[InstalledVersion]


def installed_models() -> list[InstalledModel]:
    """Every served model, with all versions of it."""
    return [_installed_model(name) for name in serving().names()]


def _installed_model(name: str) -> InstalledModel:
    try:
        active, problem = serving().active(name), serving().problem(name)
    except ModelUnavailable as error:
        active, problem = None, str(error)
    answering, awaited = active.version if active else "", in_service(name)
    decisions = list(Activation.objects.filter(model=name).order_by("id"))
    problems = {decision.version: decision.problem for decision in decisions}
    past = _past(name, decisions)
    versions = [
        InstalledVersion(
            version,
            version == answering,
            version == awaited != answering,
            problems.get(version, ""),
            _verdict(active) if active and version == answering else "",
            "" if version in (answering, awaited) else past.get(version, "was never in service"),
        )
        for version in reversed(serving().registry.versions(name))
    ]
    earlier = len(Activation.chain(name)) > 1
    is_replaced = answering not in ("", awaited)
    return InstalledModel(name, serving().pinned(name), problem, is_replaced, earlier, versions)


def _past(model: str, decisions: Sequence[Activation]) -> dict[str, str]:
    """By version: when and how its service or its trial ended."""
    past: dict[str, str] = {}
    trials = Trial.objects.filter(model=model).order_by("id")
    for trial in trials:
        ended = trial.ended or trial.ends
        past[trial.version] = f"was tried until {ended:%Y-%m-%d %H:%M}" if ended else ""
    for decision in decisions:
        if not decision.refused and decision.previous not in ("", decision.version):
            is_back = decision.kind == Activation.Kind.ROLLBACK
            what = f"was rolled back by {decision.by}," if is_back else "answered until"
            past[decision.previous] = f"{what} {decision.time:%Y-%m-%d %H:%M}"
    running = {one.version: f"is being tried by {one.percent} % of callers"
               for one in trials if not one.is_over}  # fmt: skip
    return past | running


def _verdict(model: ModelVersion) -> str:
    report = model.report
    sentence = f"{report.estimator}, examined and accepted on {report.checked[:10]}"
    return "; ".join([sentence, f"signature {report.summary()['signature']}", *report.warnings])
