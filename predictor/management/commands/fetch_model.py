"""Copy a version from the registry to this server."""

from typing import Any

from django.conf import settings
from django.core.management import CommandParser

from predictor.artifacts.version import load_version
from predictor.management.registry_command import RegistryCommand
from predictor.management.remote import remote_registry
from predictor.registry import find_version
from predictor.registry.transfers import transfer_bars


class Command(RegistryCommand):
    """manage.py fetch_model [model] [version]."""

    help = (
        "Fetch a version from Azure Blob storage into MODELS_DIR. It appears there checked and "
        "complete, or not at all. A version that is already there is only checked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        model = settings.BLOB_CONTAINER or settings.DEFAULT_MODEL
        parser.add_argument("model", nargs="?", default=model, help=f"default: {model}")
        parser.add_argument(
            "version", nargs="?", default=settings.VERSION, help=f"default: {settings.VERSION}"
        )

    def handle(self, *args: Any, model: str, version: str, **options: Any) -> None:
        here = self.installed
        if not here.exists(model, version):
            version = find_version(remote_registry(), model, version)
        if here.exists(model, version):
            load_version(here.folder(model, version), here.policy, chosen=True)
            self.stdout.write(f"{model} {version} is checked; it was in {here} already")
            return
        registry = remote_registry()
        with transfer_bars() as progress:
            folder = registry.fetch(model, version, here.root, progress)
        self.stdout.write(f"{model} {version} is checked and now in {folder}")
        if reason := registry.forced(model, version):
            self.stdout.write(f"Its rules refuse it; it was published by force: {reason}")
