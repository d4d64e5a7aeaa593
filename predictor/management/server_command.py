"""Commands that fail with one sentence on stderr and exit code 1, without a trace."""

from typing import Any

from django import db
from django.core.management import BaseCommand, CommandError

from predictor.artifacts.errors import ArtifactError, InvalidInput, ScoringError
from predictor.artifacts.untrusted import sentence
from predictor.log.alerts import AlertError
from predictor.log.archived_rows import ArchiveError
from predictor.log.errors import LogUnavailable, UnknownPrediction
from predictor.registry import RegistryError
from predictor.serving.activation import ActivationError
from predictor.serving.errors import ModelUnavailable, UnknownModel
from predictor.spreadsheets.reading import UnreadableCSV
from predictor.trials.shadow import ShadowError

# Errors whose messages are for people; OSError's names the file.
_EXPLAINED = (
    ActivationError, AlertError, ArchiveError, ArtifactError, InvalidInput, LogUnavailable,
    ModelUnavailable, OSError, RegistryError, ScoringError, ShadowError, UnknownModel,
    UnknownPrediction, UnreadableCSV,
)  # fmt: skip


class ServerCommand(BaseCommand):
    """A command that explains what went wrong; ``--traceback`` shows where."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except _EXPLAINED as error:
            raise CommandError(str(error)) from error
        except db.Error as error:
            raise CommandError(
                f"the database cannot be used: {sentence(str(error))}; check DATABASE_URL, and run "
                "the command migrate if it is new"
            ) from error
