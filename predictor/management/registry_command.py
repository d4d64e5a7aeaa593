"""What the commands about versions share."""

import getpass
from pathlib import Path
from typing import Any

from django import db
from django.conf import settings
from django.core.management import BaseCommand, CommandError

from predictor.artifacts.errors import ArtifactError
from predictor.registry import RegistryError
from predictor.registry.local import LocalRegistry
from predictor.serving.activation import ActivationError
from predictor.serving.loading import model_policy


class RegistryCommand(BaseCommand):
    """A command about versions: what goes wrong is one sentence, not a trace."""

    requires_system_checks = []

    @property
    def installed(self) -> LocalRegistry:
        """The versions this server can serve."""
        return LocalRegistry(Path(settings.MODELS_DIR), model_policy())

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (ArtifactError, RegistryError, ActivationError) as error:
            raise CommandError(str(error)) from error
        except db.Error as error:
            sentence = " ".join(str(error).split())
            raise CommandError(
                f"the database cannot be used: {sentence}; check DATABASE_URL, and run "
                "manage.py migrate if it is new"
            ) from error


def operator() -> str:
    """Who runs the command, for the record."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user may have no name
        return "command line"
