"""The evidence against a version, and the automatic response to it.

Live outcomes can guard a service, but not judge a retrain: some hundred prove that a version is
bad, but no number proves an ordinary retrain better. So this module never activates a newer
version.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils import timezone

from predictor.artifacts.errors import ArtifactError, ScoringError
from predictor.artifacts.version import ModelVersion
from predictor.evidence.sequences import FEWEST_STRICT, MARGIN
from predictor.log import alerts
from predictor.log.refusals import FAILED
from predictor.log.uuid7 import first_at
from predictor.models import Activation, Alarm, Outcome, Prediction, Refusal, Trial
from predictor.serving.activation import ActivationError, roll_back
from predictor.serving.canary import end_trial
from predictor.serving.current import serving
from predictor.serving.loading import load_beside
from predictor.trials.proof import paired_losses, promises_of
from predictor.trials.retraining import Subject, ask
from predictor.trials.shadow import ShadowError, asked_since, replay

BY = "watch_models"
_LONGEST = 500  # characters of a text, as in the columns
_FAILING = 0.01  # share of requests that a version may fail to answer
_FEWEST_ASKED = 100  # requests before that share is meaningful
_MOST_COUNTED = 100_000  # answers that are counted to compare with failures

Kind = Alarm.Kind


@dataclass(frozen=True)
class Finding:
    """A piece of evidence against a version."""

    kind: Kind
    model: str
    version: str
    sha256: str
    decision: int  # id of the activation or trial it is about
    figures: str
    chain: tuple[str, ...] = ()  # the chain of versions when it was found
    trial: bool = False  # whether the version is only in a trial

    def __str__(self) -> str:
        return f"{self.model} {self.version}: {Kind(self.kind).label}: {self.figures}"

    @property
    def remedy(self) -> str:
        """The automatic response; empty if a person must decide."""
        if self.trial:
            return "its trial ends"
        return "" if self.kind == Kind.PROMISE else "the version before it answers again"


def watch(model: str, since: datetime | None = None) -> Iterator[Finding]:
    """Yield the evidence against the version in a trial and the one that answers.

    Evidence older than ``since`` does not count. Raises ModelUnavailable when no version answers.
    """
    active = serving().active(model)
    trial = Trial.running().get(model)
    if trial is not None and trial.sha256 != active.sha256:
        yield from _of_trial(active, trial, since)
    yield from _of_active(active, since)


def respond(finding: Finding, *, act: bool) -> Alarm:
    """Record a finding, once; with ``act``, also carry out its remedy."""
    alarm, _ = Alarm.objects.get_or_create(
        kind=finding.kind,
        model=finding.model,
        sha256=finding.sha256,
        decision=finding.decision,
        defaults={"version": finding.version, "figures": finding.figures[:_LONGEST]},
    )
    if not finding.trial:
        about = Subject(finding.model, finding.version, finding.sha256)
        ask(about, finding.kind, BY, finding.figures)
    if act and finding.remedy and not alarm.done:
        alarm.done, alarm.alerted = _act(finding)[:_LONGEST], None
        alarm.save(update_fields=["done", "alerted"])
    return alarm


def note_drift(model: ModelVersion, drifted: Sequence[str]) -> None:
    """Record, once for each version, that its requests have drifted."""
    Alarm.objects.get_or_create(
        kind=Kind.DRIFT,
        model=model.name,
        sha256=model.sha256,
        decision=0,
        defaults={
            "version": model.version,
            "figures": ", ".join(drifted)[:_LONGEST],
            "alerted": timezone.now(),  # the drift alert has reported it
        },
    )
    ask(Subject(model.name, model.version, model.sha256), Kind.DRIFT, BY, ", ".join(drifted))


def alert_people() -> int:
    """Send the alarms that were not sent yet; returns how many. Raises AlertError."""
    alarms = list(Alarm.objects.filter(alerted=None).order_by("id"))
    if not alarms:
        return 0
    fields = ("kind", "model", "version", "figures", "done")
    evidence = [{field: getattr(alarm, field) for field in fields} for alarm in alarms]
    alerts.send("evidence against a model", list(map(str, alarms)), {"evidence": evidence})
    sent = Alarm.objects.filter(pk__in=[alarm.pk for alarm in alarms])
    sent.update(alerted=timezone.now())
    return len(alarms)


def _act(finding: Finding) -> str:
    """Carry out the remedy; returns what was done, or why it failed."""
    if finding.trial:
        ended = end_trial(finding.model, BY, finding.figures, finding.version)
        return "its trial was ended" if ended else "its trial was over"
    try:
        done = roll_back(finding.model, BY, finding.figures, instead_of=list(finding.chain))
    except ActivationError as error:
        return f"not rolled back: {error}"
    return f"rolled back to {done.version}"


def _of_active(active: ModelVersion, since: datetime | None) -> Iterator[Finding]:
    model, chain = active.name, Activation.chain(active.name)
    decision = Activation.objects.filter(model=model, refused=False).first()
    if decision is not None and chain[-1] != active.version:
        return  # it answers only because the chosen version cannot; admin shows that
    about = partial(
        Finding, model=model, version=active.version, sha256=active.sha256,
        decision=getattr(decision, "pk", 0), chain=tuple(chain),
    )  # fmt: skip
    # one rollback per activation: the version that a rollback returns to is trusted
    if decision and decision.kind == Activation.Kind.ACTIVATION and len(chain) > 1:
        for kind, figures in _against(active, chain[-2], since, decision.time):
            yield about(kind, figures=figures)
    broken = (p for p in promises_of(model, active.contract, active.sha256, since) if not p.is_kept)
    if promise := next(broken, None):  # one is enough to alert a person
        yield about(Kind.PROMISE, figures=str(promise))


def _against(
    active: ModelVersion, earlier: str, since: datetime | None, decided: datetime
) -> Iterator[tuple[Kind, str]]:
    """Reasons why the ``earlier`` version should answer again: worse answers, and failures."""
    before = _loaded(active.name, earlier)
    if before and (figures := _proof(active, before, since)):
        yield Kind.ACTIVE_WORSE, f"compared with {before.version}, {figures}"
    if figures := _failures(active.name, active.version, decided):
        yield Kind.FAILING, figures


def _of_trial(active: ModelVersion, trial: Trial, since: datetime | None) -> Iterator[Finding]:
    about = partial(
        Finding, model=trial.model, version=trial.version, sha256=trial.sha256,
        decision=trial.pk, trial=True,
    )  # fmt: skip
    candidate = _loaded(trial.model, trial.version)
    if candidate and (figures := _proof(candidate, active, since)):
        yield about(Kind.TRIAL_WORSE, figures=f"compared with {active.version}, {figures}")
    if figures := _failures(trial.model, trial.version, trial.started):
        yield about(Kind.FAILING, figures=figures)


def _proof(new: ModelVersion, old: ModelVersion, since: datetime | None) -> str:
    """The figures that prove ``new`` worse than ``old``; empty if it is not proven.

    Replays only logged requests with an outcome.
    """
    known = Outcome.objects.filter(model=new.name)
    if known[:FEWEST_STRICT].count() < FEWEST_STRICT:
        return ""
    rows = asked_since(new.name, since).filter(outcome__isnull=False)
    try:
        for candidate, answered in ((new, old), (old, new)):
            sum(replay(candidate, rows.filter(sha256=answered.sha256)))
    except (ScoringError, ShadowError):
        return ""  # callers' failures are counted elsewhere; the command reports the rest
    losses = paired_losses(new.name, (new.version, new.sha256), (old.version, old.sha256), since)
    proof = losses.proof_of_worse(MARGIN)
    return "" if proof is None else str(proof)


def _failures(model: str, version: str, since: datetime) -> str:
    """How often the version failed to answer; empty if it rarely does."""
    counted = Refusal.objects.filter(kind=FAILED, model=model, value=version, day__gte=since.date())
    failed = sum(counted.values_list("count", flat=True))
    if not failed:
        return ""
    answered = Prediction.objects.filter(model=model, version=version, id__gte=first_at(since))
    asked = failed + answered[:_MOST_COUNTED].count()
    if asked < _FEWEST_ASKED or failed <= _FAILING * asked:
        return ""
    return f"{failed:,} of {asked:,} requests were not answered"


def _loaded(model: str, version: str) -> ModelVersion | None:
    try:
        return load_beside(serving().registry.folder(model, version), chosen=True)
    except ArtifactError:
        return None  # without loading it, there is no comparison and no rollback
