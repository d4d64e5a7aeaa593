"""``manage.py judge_model MODEL VERSION``: judge a version on cases with known outcomes."""

import sys
from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from predictor.evidence.errors import EvidenceError
from predictor.evidence.verdict import Result
from predictor.management.registry_command import RegistryCommand, operator
from predictor.registry import find_version
from predictor.serving.activation import answering
from predictor.serving.judging import judge_version
from predictor.serving.loading import load_beside
from predictor.serving.verdicts import record_verdict

ACTIVE = "active"
STATUS = {Result.PASSED: 0, Result.REFUSED: 3, Result.NOT_JUDGED: 1}


class Command(RegistryCommand):
    """Judges a version and records the verdict."""

    help = (
        "Judge a version on cases with known outcomes. Exits with 0 if it passed, 3 if a rule "
        "refuses it, 1 if it could not be judged. Activation follows the newest verdict."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("version", help="a version, or latest")
        parser.add_argument("--against", help=f"a version, or {ACTIVE}: the one that answers")
        parser.add_argument("--cases", type=Path, help="CSV of cases; default: the version's own")
        parser.add_argument("--rules", type=Path, help="TOML; default: the version's own")

    def handle(
        self, *args: Any, model: str, version: str, against: str | None, **options: Any
    ) -> None:
        here = self.installed
        folder = here.folder(model, find_version(here, model, version))
        judged = load_beside(folder, chosen=True)
        opponent = None
        if against is not None:
            other = answering(model) if against == ACTIVE else against
            other = find_version(here, model, other)
            opponent = load_beside(here.folder(model, other), chosen=True)
        try:
            verdict = judge_version(
                judged, folder, cases=options["cases"], rules=options["rules"], against=opponent
            )
        except EvidenceError as error:
            raise CommandError(f"{model} {judged.version} cannot be judged: {error}") from error
        record_verdict(judged, verdict.as_json(), operator())
        self.stdout.write(str(verdict))
        if status := STATUS[verdict.result]:
            sys.exit(status)
