"""Export recorded outcomes as cases on which to judge a model."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from predictor.artifacts.figures import counted
from predictor.log.ages import age
from predictor.management.registry_command import RegistryCommand
from predictor.registry import find_version
from predictor.serving.activation import answering
from predictor.serving.loading import load_beside
from predictor.spreadsheets.cells import table_lines
from predictor.trials.truth import Truth


class Command(RegistryCommand):
    """manage.py export_truth model file [--since 90d] [--counts]."""

    help = "Write recorded outcomes as cases, for judge_model --cases and for training."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("file", type=Path, help="the CSV to write")
        parser.add_argument(
            "--asked", default="", metavar="VERSION",
            help="the version whose features become columns; default: the one that answers",
        )  # fmt: skip
        parser.add_argument("--since", default="", help="leave out older answers, such as 90d")
        parser.add_argument(
            "--counts", action="store_true", help="one row for all equal cases, counted by outcome"
        )

    def handle(self, *args: Any, model: str, file: Path, **options: Any) -> None:
        try:
            start = datetime.now(UTC) - age(options["since"]) if options["since"] else None
        except ValueError as error:
            raise CommandError(f"--since: {error}") from error
        here = self.installed
        version = find_version(here, model, options["asked"] or answering(model))
        truth = Truth(load_beside(here.folder(model, version), chosen=True), start)
        lines = table_lines(truth.counts() if options["counts"] else truth.rows())
        if not truth.cases:
            raise CommandError(f"no outcome of {model} {version} is on record")
        file.write_bytes(lines)
        cases = counted(truth.cases, "outcome")
        self.stdout.write(f"{cases} as cases of {model} {version} in {file}")
        if truth.left_out:
            left_out = counted(truth.left_out, "more is left out", "more are left out")
            self.stderr.write(
                f"{left_out}: {version} would refuse what was asked, or does not know the outcome"
            )
