"""The shared part of the commands about versions."""

import getpass
from pathlib import Path

from django.conf import settings
from django.core.management import CommandParser

from predictor.management.server_command import ServerCommand
from predictor.registry.local import LocalRegistry
from predictor.serving.loading import model_policy

_LONGEST = 200  # characters of a person's name, as in the columns


class RegistryCommand(ServerCommand):
    """A command about versions."""

    requires_system_checks = []

    @property
    def installed(self) -> LocalRegistry:
        """The registry of the versions on this server."""
        return LocalRegistry(Path(settings.MODELS_DIR), model_policy())


def add_record_arguments(parser: CommandParser) -> None:
    """Add the arguments for the record of a decision: the reason and the person."""
    parser.add_argument("--reason", default="", help="why, for the record")
    who = "who decided; default: who runs the command"
    parser.add_argument("--by", default=operator(), type=_person, help=who)


def _person(name: str) -> str:
    """A name that fits the columns; if empty, the user who runs the command."""
    return name.strip()[:_LONGEST] or operator()


def operator() -> str:
    """The user who runs the command, for the record."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user may have no name in the system
        return "command line"
