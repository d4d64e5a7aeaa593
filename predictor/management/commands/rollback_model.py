"""Go back to the previous version."""

from typing import Any

from django.core.management import CommandParser

from predictor.management.registry_command import RegistryCommand, add_record_arguments
from predictor.serving.activation import roll_back


class Command(RegistryCommand):
    """manage.py rollback_model model."""

    help = "Go back to the last good version before the active one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        add_record_arguments(parser)

    def handle(self, *args: Any, model: str, reason: str, by: str, **options: Any) -> None:
        done = roll_back(model, by, reason)
        self.stdout.write(f"{model} {done.version} is active again; {done.previous} was before")
