"""Import outcomes from a CSV."""

import shutil
from argparse import ArgumentParser
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from django.core.management.base import CommandError

from predictor.artifacts.figures import counted
from predictor.log.outcome_files import import_csv
from predictor.management.server_command import ServerCommand
from predictor.spreadsheets.reading import UnreadableCSV

_IN_MEMORY = 2**20  # bytes


class Command(ServerCommand):
    """``manage.py import_outcomes``."""

    help = "Record outcomes from a CSV with the columns id or reference, and outcome."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            with file.open("rb") as opened, SpooledTemporaryFile(_IN_MEMORY) as copy:
                shutil.copyfileobj(opened, copy)  # a pipe can be read only once, a copy again
                imported = import_csv(cast("BinaryIO", copy))
        except (OSError, UnreadableCSV) as error:
            raise CommandError(f"{file} cannot be imported: {error}") from error
        for problem in imported.problems:
            self.stderr.write(problem)
        self.stdout.write(
            f"{counted(imported.recorded, 'outcome')} recorded, "
            f"{counted(imported.refused, 'row')} refused"
        )
        if imported.refused:
            rows = counted(imported.refused, "row")
            raise CommandError(f"{rows} of {file} could not be recorded")
