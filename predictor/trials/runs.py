"""Shadow runs that a person starts in admin: recorded, and run by upkeep in turns.

Answers are stored in the table of shadows, so a turn that ends, or is killed, loses none.
"""

import os
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction

from predictor.artifacts.errors import ArtifactError, ScoringError
from predictor.artifacts.files import read_version
from predictor.artifacts.version import ModelVersion
from predictor.log.upkeep import SHADOW, make_due
from predictor.models import Shadow, ShadowRun
from predictor.serving.current import serving
from predictor.serving.loading import load_beside
from predictor.trials.proof import replayed
from predictor.trials.shadow import ShadowError, asked_since, replay
from predictor.trials.shadow_report import report

POLITE = 10  # of the 19 steps by which a process can lower its priority
_TURN = 300.0  # seconds, after which the other tasks of upkeep have their turn


def ask_for_shadow(model: str, version: str, by: str, age: timedelta | None = None) -> ShadowRun:
    """Record a run of ``version`` over the logged requests that are not older than ``age``.

    Raises ShadowError if such a run waits or is under way already, ArtifactError for unreadable
    files.
    """
    files = read_version(serving().registry.folder(model, version))
    since = datetime.now(UTC) - age if age else None
    run = ShadowRun(model=model, version=version, sha256=files.fingerprint, since=since, by=by)
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError as error:
        raise ShadowError(f"{version} has a shadow run already, which waits or runs") from error
    make_due(SHADOW)
    return run


def stop_shadow(model: str, number: int, by: str) -> bool:
    """End the run early; whether it was still open."""
    return _end(ShadowRun(pk=number, model=model), f"{by} stopped it", failed=True)


def run_shadows() -> str:
    """Work on the waiting runs for one turn; returns what was done, in a sentence."""
    ends = time.monotonic() + _TURN
    done = []
    for run in ShadowRun.objects.filter(finished=None).order_by("id"):
        with suppress(OSError):  # the scoring process starts later, and inherits this priority
            os.nice(POLITE)
        try:
            whole = _replay_for_a_turn(run, ends)
        except (ArtifactError, ScoringError, ShadowError) as error:
            _end(run, str(error), failed=True)
            whole = True
        done.append(f"{run}: {run.asked:,} asked{'' if whole else ' so far'}")
        if not whole:
            make_due(SHADOW)
            break
    return "; ".join(done) or "none was asked for"


def _replay_for_a_turn(run: ShadowRun, ends: float) -> bool:
    """Replay until all rows are done, or the turn or the run ends; whether the run has ended."""
    candidate = load_beside(serving().registry.folder(run.model, run.version), chosen=True)
    if candidate.sha256 != run.sha256:
        raise ShadowError("its files are not those that were there when it was asked for")
    rows = asked_since(run.model, run.since)
    if run.total is None:
        known = Shadow.objects.filter(sha256=run.sha256).values("prediction_id")
        run.total = rows.exclude(pk__in=known).count()
    open_run = ShadowRun.objects.filter(pk=run.pk, finished=None)
    for new in replay(candidate, rows):
        run.asked += new
        if not open_run.update(asked=run.asked, total=run.total):
            return True  # a person stopped it
        if time.monotonic() > ends:
            return False
    _end(run, _found(run, candidate))
    return True


def _found(run: ShadowRun, candidate: ModelVersion) -> str:
    found = replayed(run.model, run.version, run.sha256, run.since)
    if not found:
        return "the log holds nothing that was asked of it"
    return "\n".join(report(candidate, run.asked, found, run.since))


def _end(run: ShadowRun, result: str, *, failed: bool = False) -> bool:
    """End the run if it is open; whether it was."""
    open_run = ShadowRun.objects.filter(pk=run.pk, model=run.model, finished=None)
    ended = open_run.update(finished=datetime.now(UTC), failed=failed, result=result)
    return bool(ended)
