"""Put a version in service."""

from typing import Any

from django.core.management import CommandParser

from predictor.management.registry_command import RegistryCommand, add_record_arguments
from predictor.serving.activation import activate
from predictor.serving.verdicts import unjudged


class Command(RegistryCommand):
    """manage.py activate_model model version."""

    help = "Make a version in MODELS_DIR answer from now on; workers follow within 2 seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("version", help="a version, or latest")
        add_record_arguments(parser)
        parser.add_argument(
            "--force", action="store_true", help="even if its rules refuse it; needs a --reason"
        )

    def handle(self, *args: Any, model: str, version: str, **options: Any) -> None:
        done = activate(model, version, options["by"], options["reason"], force=options["force"])
        if warning := unjudged(self.installed.metadata(model, done.version)):
            self.stderr.write(f"warning: {model} {done.version} {warning}")
        self.stdout.write(f"{model} {done.version} is active; {done.previous or 'none'} was before")
