"""Copy a version from this machine to the registry."""

from typing import Any

from django.core.management import CommandError, CommandParser

from predictor.evidence.errors import RefusedError
from predictor.management.registry_command import RegistryCommand
from predictor.management.remote import remote_registry
from predictor.registry import LATEST, find_version
from predictor.registry.publication import publish_to


class Command(RegistryCommand):
    """manage.py publish_model model [version]."""

    help = (
        "Publish a version from MODELS_DIR to Azure Blob storage. It is final there: a published "
        "version is never overwritten."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("version", nargs="?", default=LATEST, help=f"default: {LATEST}")
        parser.add_argument(
            "--force", action="store_true", help="even if its rules refuse it; needs a --reason"
        )
        parser.add_argument("--reason", default="", help="why; it is kept beside the version")

    def handle(self, *args: Any, model: str, version: str, **options: Any) -> None:
        version = find_version(self.installed, model, version)
        reason = options["reason"].strip() if options["force"] else ""
        try:
            said = publish_to(remote_registry, self.installed.folder(model, version), reason)
        except RefusedError as refused:
            raise CommandError(str(refused), returncode=refused.status) from refused
        self.stdout.write(said)
