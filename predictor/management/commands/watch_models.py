"""Check the evidence against the versions that answer, and respond to it."""

import sys
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser

from predictor.artifacts.version import ModelVersion
from predictor.evidence.errors import RefusedError
from predictor.log.ages import age
from predictor.management.server_command import ServerCommand
from predictor.serving.current import serving
from predictor.serving.errors import ModelUnavailable
from predictor.trials.retraining import carry_on
from predictor.trials.shadow import ShadowError, check_kept
from predictor.trials.watch import Finding, alert_people, respond, watch


class Command(ServerCommand):
    """manage.py watch_models [--dry-run] [--since 30d]."""

    help = (
        "Report what outcomes prove against the active version and the one on trial; alert people "
        "once; with AUTO_ROLLBACK, end the trial or roll back. Exits with 3 if a person must act."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="change and send nothing")
        parser.add_argument("--since", default="", help="leave out older answers, such as 30d")

    def handle(self, *args: Any, dry_run: bool, since: str, **options: Any) -> None:
        try:
            start = datetime.now(UTC) - age(since) if since else None
        except ValueError as error:
            raise CommandError(f"--since: {error}") from error
        found = [one for name in serving().names() for one in self._found(name, start)]
        waiting = [one for one in found if not self._settled(one, dry_run)]
        if not dry_run:
            alert_people()
            for request in carry_on():
                self.stdout.write(str(request))
        if waiting:
            sys.exit(RefusedError.status)

    def _found(self, name: str, start: datetime | None) -> list[Finding]:
        try:
            self._say_what_is_not_kept(serving().active(name))
            found = list(watch(name, start))
        except ModelUnavailable as error:
            self.stderr.write(str(error))
            return []
        if not found:
            self.stdout.write(f"{name}: nothing is proven")
        return found

    def _settled(self, finding: Finding, dry_run: bool) -> bool:
        """Whether the finding needs no person."""
        if dry_run:
            self.stdout.write(f"{finding}; {finding.remedy or 'a person must look'}")
            return False
        alarm = respond(finding, act=settings.AUTO_ROLLBACK)
        self.stdout.write(str(alarm))
        return bool(alarm.done)

    def _say_what_is_not_kept(self, model: ModelVersion) -> None:
        try:
            check_kept(model)
        except ShadowError as error:
            self.stderr.write(f"{error}, so its versions are not compared")
