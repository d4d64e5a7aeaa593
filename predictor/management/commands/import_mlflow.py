"""``manage.py import_mlflow models:/NAME@champion``: make a version of a model in MLflow."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from predictor.management.registry_command import RegistryCommand
from predictor.registry.tracking import Additions, download, fill_version


class Command(RegistryCommand):
    """Makes a version of a registered scikit-learn model and its signature."""

    help = (
        "Make a version from a scikit-learn model that MLflow keeps. Names and types of the inputs "
        "come from its signature, labels from its encoders; it appears checked, or not at all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("uri", help="models:/name@champion, models:/name/3 or runs:/id/model")
        parser.add_argument("--model", help="default: the name in the address")
        parser.add_argument("--as", dest="version", default="1.0.0", help="default: 1.0.0")
        parser.add_argument("--flags", default="", help="names of the outputs: died,survived")
        parser.add_argument("--labels", action="append", default=[], help="city=York,Leeds")
        parser.add_argument("--bounds", action="append", default=[], help="age=0..120")

    def handle(self, *args: Any, uri: str, model: str | None, version: str, **options: Any) -> None:
        said = Additions(
            [flag for flag in options["flags"].split(",") if flag],
            dict(_labels(text) for text in options["labels"]),
            dict(_bounds(text) for text in options["bounds"]),
        )
        model = model or uri.partition(":/")[2].partition("@")[0].partition("/")[0]
        here = self.installed
        with tempfile.TemporaryDirectory() as into:
            source = download(uri, Path(into))
            fill = partial(fill_version, source, policy=here.policy, said=said)
            folder = here.receive(model, version, fill)
        self.stdout.write(f"{model} {version} is checked and now in {folder}")


def _labels(text: str) -> tuple[str, list[str]]:
    name, equals, labels = text.partition("=")
    if not equals:
        raise CommandError(f"--labels must be like city=York,Leeds, not {text!r}")
    return name, labels.split(",")


def _bounds(text: str) -> tuple[str, tuple[float, float]]:
    name, _, span = text.partition("=")
    low, _, high = span.partition("..")
    try:
        return name, (float(low), float(high))
    except ValueError as error:
        raise CommandError(f"--bounds must be like age=0..120, not {text!r}") from error
