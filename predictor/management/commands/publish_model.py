"""Copy a version from this machine to the registry."""

from typing import Any

from django.core.management import CommandParser

from predictor.management.registry_command import RegistryCommand
from predictor.management.remote import remote_registry
from predictor.management.transfers import transfer_bars
from predictor.registry import LATEST, find_version


class Command(RegistryCommand):
    """manage.py publish_model model [version]."""

    help = (
        "Publish a version from MODELS_DIR to Azure Blob storage, where it is final: none is ever "
        "written over."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("version", nargs="?", default=LATEST, help=f"default: {LATEST}")

    def handle(self, *args: Any, model: str, version: str, **options: Any) -> None:
        version = find_version(self.installed, model, version)
        registry = remote_registry()
        with transfer_bars() as progress:
            registry.publish(self.installed.folder(model, version), progress)
        self.stdout.write(f"{model} {version} is published to {registry}")
