"""What the commands about versions share."""

import getpass
from pathlib import Path

from django.conf import settings

from predictor.management.server_command import ServerCommand
from predictor.registry.local import LocalRegistry
from predictor.serving.loading import model_policy


class RegistryCommand(ServerCommand):
    """A command about versions."""

    requires_system_checks = []

    @property
    def installed(self) -> LocalRegistry:
        """The versions this server can serve."""
        return LocalRegistry(Path(settings.MODELS_DIR), model_policy())


def operator() -> str:
    """Who runs the command, for the record."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user may have no name
        return "command line"
