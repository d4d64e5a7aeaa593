"""Put a version in service."""

from typing import Any

from django.core.management import CommandParser

from predictor.management.registry_command import RegistryCommand, operator
from predictor.serving.activation import activate


class Command(RegistryCommand):
    """manage.py activate_model model version."""

    help = "Let a version in MODELS_DIR answer; every worker follows within 2 seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("version", help="a version, or latest")
        parser.add_argument("--reason", default="", help="why, for the record")

    def handle(self, *args: Any, model: str, version: str, reason: str, **options: Any) -> None:
        done = activate(model, version, operator(), reason)
        self.stdout.write(f"{model} {done.version} is active; {done.previous or 'none'} was before")
