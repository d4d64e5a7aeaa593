"""Request the retraining of a model."""

from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser

from predictor.management.registry_command import RegistryCommand, operator
from predictor.serving.current import serving
from predictor.trials.retraining import PERSON, Subject, ask, ask_again, carry_on, requests_of


class Command(RegistryCommand):
    """manage.py retrain_model model [--reason TEXT] [--again]."""

    help = "Request a retraining at RETRAIN_WEBHOOK, once for the files that answer now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("--reason", default="", help="why, for the record")
        parser.add_argument("--again", action="store_true", help="once more for the same files")

    def handle(self, *args: Any, model: str, reason: str, again: bool, **options: Any) -> None:
        if not settings.RETRAIN_WEBHOOK:
            raise CommandError("RETRAIN_WEBHOOK is not set, so the request has no address")
        active = serving().active(model)
        about = Subject(active.name, active.version, active.sha256)
        request = ask(about, PERSON, operator(), reason)
        if again and request is not None:
            ask_again(request)
        carry_on()
        for row in requests_of(active.name):
            self.stdout.write(f"{row.time:%Y-%m-%d %H:%M} {row.reason}: {row}")
