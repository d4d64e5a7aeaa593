"""Create an API key without a browser."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import CommandParser
from django.core.management.base import CommandError

from predictor.keys.models import ApiKey
from predictor.management.server_command import ServerCommand


class Command(ServerCommand):
    """``manage.py create_api_key name``."""

    help = "Make an API key and print it, once only: the server keeps only its hash."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="whose key it is; the log keeps this name")
        parser.add_argument("--rate", default="", help="such as 100/minute; default: THROTTLE_RATE")
        for right in ("reads-all", "reports-all"):
            parser.add_argument(
                f"--{right}", action="store_true", help="all predictions, not only its own"
            )

    def handle(self, *args: Any, name: str, rate: str, **options: Any) -> None:
        rights = {right: options[right] for right in ("reads_all", "reports_all")}
        key = ApiKey(name=name, rate=rate, **rights)
        shown = ApiKey.objects.assign_key(key)
        try:
            key.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        key.save()
        self.stdout.write(shown)
