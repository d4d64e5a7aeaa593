"""Do the periodic tasks that are due; the service does the same automatically (UPKEEP)."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from predictor.artifacts.figures import counted
from predictor.log.ages import age
from predictor.log.alerts import alert
from predictor.log.archiving import archive
from predictor.log.drift import Drift, keep_drift
from predictor.log.retention import prune
from predictor.log.scores import fill_in_scores
from predictor.log.traffic_parts import keep_parts
from predictor.log.upkeep import (
    ARCHIVE,
    DRIFT,
    FIGURES,
    PRUNE,
    REPLAY,
    SCORES,
    SHADOW,
    WATCH,
    run_due,
)
from predictor.log.writer import replay_spool
from predictor.management.archives import expected, log_archive
from predictor.management.server_command import ServerCommand
from predictor.serving.current import serving
from predictor.serving.errors import ModelUnavailable
from predictor.trials.retraining import carry_on
from predictor.trials.runs import run_shadows
from predictor.trials.watch import alert_people, note_drift, respond, watch


class Command(ServerCommand):
    """``manage.py upkeep``."""

    help = "Do the due tasks that no other process is doing, such as retention and the drift alert."

    def handle(self, *args: Any, **options: Any) -> None:
        work = {
            ARCHIVE: _archive, PRUNE: _prune, DRIFT: _drift, WATCH: _watch, FIGURES: _figures,
            SCORES: _scores, REPLAY: _replay, SHADOW: run_shadows,
        }  # fmt: skip
        done = run_due(work)
        if options["verbosity"] == 0:
            return  # the log has the details
        for row in done:
            mark = "failed: " if row.failed else ""
            self.stdout.write(f"{row.title}: {mark}{row.result}")
        if not done:
            self.stdout.write("Nothing is due")


def _archive() -> str:
    before = datetime.now(UTC).date() - timedelta(days=1)
    with expected():
        place = log_archive()
        written = list(archive(place, before)) if place else []
    rows = counted(sum(rows for *_, rows in written), "prediction")
    return f"{rows} archived in {counted(len(written), 'file')}"


def _prune() -> str:
    with expected():
        return f"{counted(prune(age(settings.LOG_RETENTION), log_archive()), 'prediction')} deleted"


def _drift() -> str:
    found: list[Drift] = []
    for name in serving().names():
        with suppress(ModelUnavailable):  # it is in the log
            model = serving().active(name)
            found += (drifts := keep_drift(model))
            if subjects := [one.subject for one in drifts if one.drifted]:
                note_drift(model, subjects)
    drifted = [one for one in found if one.drifted]
    if drifted:
        alert(drifted)
    names = ", ".join(f"{one.subject} of {one.model} {one.version}" for one in drifted)
    return f"drifted: {names}" if drifted else f"nothing has drifted of {len(found)} compared"


def _watch() -> str:
    found: list[str] = []
    for name in serving().names():
        with suppress(ModelUnavailable):  # it is in the log
            found += [str(respond(one, act=settings.AUTO_ROLLBACK)) for one in watch(name)]
    alert_people()
    found += map(str, carry_on())
    return "; ".join(found) or "nothing is proven against a version"


def _figures() -> str:
    for name in serving().names():
        with suppress(ModelUnavailable):  # it is in the log
            keep_drift(serving().active(name))
    looked = counted(keep_parts(), "part of the last year was", "parts of the last year were")
    return f"{looked} looked at"


def _scores() -> str:
    return f"{counted(fill_in_scores(), 'prediction')} of older releases got theirs"


def _replay() -> str:
    return f"{counted(replay_spool(), 'prediction')} written from the spool"
