"""A CSV of what really happened."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from predictor.errors import MalformedBody
from predictor.log.outcomes import import_csv
from predictor.management.server_command import ServerCommand


class Command(ServerCommand):
    """``manage.py import_outcomes``."""

    help = "Tell outcomes from a CSV with the columns id or reference, and outcome."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
                imported = import_csv(lines)
        except (OSError, MalformedBody) as error:
            raise CommandError(f"{file} cannot be imported: {error}") from error
        for problem in imported.problems:
            self.stderr.write(problem)
        self.stdout.write(f"{imported.told:,} outcomes told, {imported.refused:,} rows refused")
        if imported.refused:
            raise CommandError(f"{imported.refused:,} rows of {file} could not be told")
