"""What the commands about versions share."""

import getpass
from pathlib import Path

from django.conf import settings
from django.core.management import CommandParser

from predictor.management.server_command import ServerCommand
from predictor.registry.local import LocalRegistry
from predictor.serving.loading import model_policy

_LONGEST = 200  # characters of who decided, as the columns have it


class RegistryCommand(ServerCommand):
    """A command about versions."""

    requires_system_checks = []

    @property
    def installed(self) -> LocalRegistry:
        """The versions this server can serve."""
        return LocalRegistry(Path(settings.MODELS_DIR), model_policy())


def add_record_arguments(parser: CommandParser) -> None:
    """What a decision keeps besides itself: why, and who decided."""
    parser.add_argument("--reason", default="", help="why, for the record")
    who = "who decided; default: who runs the command"
    parser.add_argument("--by", default=operator(), type=_person, help=who)


def _person(name: str) -> str:
    """A name as the columns take it; who runs the command where it is empty."""
    return name.strip()[:_LONGEST] or operator()


def operator() -> str:
    """Who runs the command, for the record."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user may have no name
        return "command line"
