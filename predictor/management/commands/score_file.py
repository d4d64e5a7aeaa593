"""``manage.py score_file MODEL IN OUT``: score and record a file of any size."""

import os
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from predictor.api.bulk import journal as journals
from predictor.api.bulk.errors import BulkError
from predictor.api.bulk.run import Files, remove_leftovers, score_file
from predictor.artifacts.figures import counted
from predictor.artifacts.version import ModelVersion
from predictor.log import writer
from predictor.log.errors import LogUnavailable
from predictor.management.registry_command import RegistryCommand, operator
from predictor.registry import find_version
from predictor.serving.activation import answering
from predictor.serving.loading import load_beside

_SAME = {"source": "another file", "model": "another model", "sha256": "another version",
         "reference": "other references"}  # fmt: skip
_NICE = 10  # not sufficient: it does not favour a server in another session or container


class Command(RegistryCommand):
    """Scores a file."""

    help = (
        "Score a CSV or Parquet file of any size: add scores and ids to its rows, record every "
        "answer, and write refused rows to the answers' name with .refused.csv. After an "
        "interruption, run it again to resume."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model")
        parser.add_argument("source", type=Path, help="the file to read: .parquet, else CSV")
        parser.add_argument("answers", type=Path, help="the file to write: .parquet, else CSV")
        parser.add_argument("--reference", default="", help="the column of the rows' references")
        parser.add_argument("--model-version", default="", help="default: the one that answers")
        parser.add_argument(
            "--busy", type=float, default=0.25,
            help="share of the time that it works, for a server beside it; 1: all (default: 0.25)",
        )  # fmt: skip

    def handle(self, *args: Any, model: str, source: Path, answers: Path, **options: Any) -> None:
        busy, files = options["busy"], Files(source, answers)
        if not 0 < busy <= 1:
            raise CommandError(f"--busy is {busy:g}; it must be over 0, and 1 at most")
        os.nice(_NICE)
        try:
            journal = journals.read(files.journal)
            if journal and answers.exists():  # a run was killed before it tidied up
                remove_leftovers(files, journal)
                self.stdout.write(f"{answers} is whole")
                return
            loaded, journal = self._begin(model, files, options)
            with tqdm(total=source.stat().st_size, unit="B", unit_scale=True, disable=None) as bar:

                def progress(position: int, seconds: float) -> None:
                    bar.update(position - bar.n)
                    time.sleep(seconds * (1 / busy - 1))

                score_file(loaded, files, journal, operator(), progress)
        except (BulkError, LogUnavailable) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("it was interrupted; run the same command again to resume") from None
        finally:
            writer.close()
        scored = counted(journal.scored, "row")
        self.stdout.write(f"{scored} scored by {model} {loaded.version}: {answers}")
        if journal.refused:
            self.stdout.write(f"{counted(journal.refused, 'row')} refused: {files.refused}")

    def _begin(
        self, model: str, files: Files, options: dict[str, Any]
    ) -> tuple[ModelVersion, journals.Journal]:
        """The version, and the progress so far. Raises BulkError if that is of another file."""
        journal = journals.read(files.journal)
        version = options["model_version"] or (journal.version if journal else answering(model))
        here = self.installed
        folder = here.folder(model, find_version(here, model, version))
        if journal is None and files.answers.exists():
            raise BulkError(f"{files.answers} exists already")
        loaded = load_beside(folder, chosen=True)
        new = journals.begin(files.source, loaded, options["reference"])
        if journal is None:
            return loaded, new
        for name, what in _SAME.items():
            if getattr(journal, name) != getattr(new, name):
                raise BulkError(
                    f"{files.answers} was begun with {what}; remove {files.journal} to start over"
                )
        done = counted(journal.rows, "row was", "rows were")
        self.stdout.write(f"{done} done before; resuming")
        return loaded, journal
