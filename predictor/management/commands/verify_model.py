"""``manage.py verify_model PATH``: examine a version, and say whether it may be served."""

import os
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from predictor.artifacts.policy import Policy
from predictor.artifacts.report_text import progress, report_lines, summed_up
from predictor.artifacts.version import has_report, verify
from predictor.management.server_command import ServerCommand
from predictor.registry.local import LocalRegistry
from predictor.serving.loading import model_policy


class Command(ServerCommand):
    """Examines a version in quarantine and keeps the verdict for the server."""

    help = "Examine a model version: what it holds, which names it uses, whether it may be served."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, nargs="*", help="folder of a version")
        parser.add_argument(
            "--new", action="store_true", help="all versions in MODELS_DIR without a verdict yet"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        policy = model_policy()
        paths = [path.absolute() for path in options["path"]]
        paths += self._new(policy) if options["new"] else []
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # each thread waits for a separate process
            found = pool.map(partial(verify, policy=policy), paths)
            reports = dict(zip(paths, progress(found, len(paths)), strict=True))
        for path, report in reports.items():
            self.stdout.write(
                summed_up(path, report) if options["new"] else report_lines(path, report)
            )
        refused = [str(path) for path, report in reports.items() if not report.accepted]
        if refused:
            raise CommandError(f"refused: {', '.join(refused)}", returncode=1)

    def _new(self, policy: Policy) -> list[Path]:
        registry = LocalRegistry(Path(settings.MODELS_DIR))
        folders = [
            registry.folder(model, version)
            for model in registry.models()
            for version in registry.versions(model)
        ]
        return [folder for folder in folders if not has_report(folder, policy)]
