"""List the versions here and in the registry, and which of them answer."""

from typing import Any

from django.core.management import CommandParser

from predictor.artifacts.names import version_key
from predictor.management.registry_command import RegistryCommand
from predictor.registry import Registry
from predictor.serving.activation import answering


class Command(RegistryCommand):
    """manage.py list_models [model] [--remote]."""

    help = "List the versions of every model, or of one, and which of them answer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", nargs="?", help="default: all")
        parser.add_argument(
            "--remote", action="store_true", help="also those in Azure Blob storage"
        )

    def handle(self, *args: Any, model: str | None, remote: bool, **options: Any) -> None:
        places: dict[str, Registry] = {"here": self.installed}
        if remote:
            # Azure's libraries take most of a second to import
            from predictor.management.remote import remote_registry  # noqa: PLC0415

            places["azure"] = remote_registry()
        names = {model} if model else {name for place in places.values() for name in place.models()}
        for name in sorted(names):
            self._list(name, {where: place.versions(name) for where, place in places.items()})

    def _list(self, model: str, found: dict[str, list[str]]) -> None:
        self.stdout.write(model)
        active = answering(model)
        for version in sorted(set().union(*found.values()), key=version_key):
            where = ", ".join(place for place, versions in found.items() if version in versions)
            state = "answers" if version == active else ""
            self.stdout.write(f"  {version:<20} {where:<12} {state}".rstrip())
