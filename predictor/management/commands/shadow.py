"""Replay the log with a candidate."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.core.management import CommandError, CommandParser

from predictor.artifacts.figures import counted
from predictor.artifacts.version import ModelVersion
from predictor.evidence.errors import RefusedError
from predictor.evidence.sequences import MARGIN
from predictor.log.ages import age
from predictor.management.registry_command import RegistryCommand
from predictor.registry import find_version
from predictor.serving.loading import load_beside
from predictor.trials.proof import Replayed, paired_losses, replayed
from predictor.trials.runs import POLITE
from predictor.trials.shadow import asked_since, replay
from predictor.trials.shadow_report import report

_REFUSED = 0.01  # share of logged requests that a candidate may refuse


class Command(RegistryCommand):
    """manage.py shadow model version [--since 30d] [--strict]."""

    help = (
        "Replay a model's logged requests with one of its versions, each once, and compare the "
        "answers. You can stop it and start it again at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("version", help="the candidate, or latest")
        parser.add_argument("--since", default="", help="leave out older requests, such as 30d")
        parser.add_argument(
            "--strict",
            action="store_true",
            help="exit with 3 if outcomes prove it worse, or it has no answer to over 1 %%",
        )

    def handle(self, *args: Any, model: str, version: str, **options: Any) -> None:
        since = options["since"]
        try:
            start = datetime.now(UTC) - age(since) if since else None
        except ValueError as error:
            raise CommandError(f"--since: {error}") from error
        with suppress(OSError):  # the scoring process starts later, and inherits this priority
            os.nice(POLITE)
        here = self.installed
        folder = here.folder(model, find_version(here, model, version))
        candidate = load_beside(folder, chosen=True)
        new = sum(replay(candidate, asked_since(model, start)))
        found = replayed(model, candidate.version, candidate.sha256, start)
        if not found:
            raise CommandError(f"the log holds nothing that was asked of {model}")
        self.stdout.write("\n".join(report(candidate, new, found, start)))
        if options["strict"] and (against := list(_against(candidate, found, start))):
            self.stderr.write("\n".join(against))
            sys.exit(RefusedError.status)


def _against(
    candidate: ModelVersion, found: list[Replayed], start: datetime | None
) -> Iterator[str]:
    """Reasons not to try the candidate on callers, one for each version that had answered."""
    for one in found:
        beside = f"{candidate.name} {candidate.version} beside {one.version}"
        if one.refused > _REFUSED * one.asked:
            yield f"{beside}: it has no answer to {one.refused:,} of {counted(one.asked, 'input')}"
        if one.sha256 == candidate.sha256:
            continue
        names = (candidate.version, candidate.sha256), (one.version, one.sha256)
        if proof := paired_losses(candidate.name, *names, start).proof_of_worse(MARGIN):
            yield f"{beside}: it is proven worse, {proof}"
