"""``manage.py bring_model model.pkl --data train.csv``: make a version of an estimator."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings

from predictor.artifacts.bringing import add_arguments, bring_files
from predictor.management.server_command import ServerCommand
from predictor.serving.loading import model_policy


class Command(ServerCommand):
    """Drafts, examines and compares a version, and puts it into MODELS_DIR."""

    help = (
        "Make a version from a fitted estimator and the data it was fitted on: draft its "
        "description, examine it, and compare its answers to some rows with the estimator's."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        folder = bring_files(options, Path(settings.MODELS_DIR), model_policy(), self.stdout.write)
        self.stdout.write(
            f"If another version is active, run the command activate_model {folder.parent.name} "
            f"{folder.name}"
        )
