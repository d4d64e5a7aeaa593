"""``manage.py verify_model PATH``: what a version holds, and whether it may be served."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from predictor.artifacts.policy import Policy
from predictor.artifacts.verdicts import Report
from predictor.artifacts.version import has_report, verify
from predictor.management.server_command import ServerCommand
from predictor.registry.local import LocalRegistry
from predictor.serving.loading import model_policy


class Command(ServerCommand):
    """Examines a version in quarantine and keeps the verdict for the server."""

    help = "Examine a model version: what it holds, what it asks for, whether it may be served."
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
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # each waits for a process of its own
            reports = dict(zip(paths, pool.map(partial(verify, policy=policy), paths), strict=True))
        for path, report in reports.items():
            self.stdout.write(
                summed_up(path, report) if options["new"] else described(path, report)
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


def summed_up(path: Path, report: Report) -> str:
    """The report in a line."""
    verdict = "accepted" if report.accepted else f"refused: {report.reason}"
    return f"  {path.parent.name} {path.name}: {report.estimator or 'no estimator'}, {verdict}"


def found_out(report: Report) -> Iterator[str]:
    """What the examination found out of each input: ``city: by label, open``."""
    for name, found in report.kinds.items():
        if name:
            yield f"{name}: {', '.join(_words(found))}"
        elif found.get("one_dimensional"):
            yield "the estimator gets a list of texts"


def _words(found: Mapping[str, Any]) -> Iterator[str]:
    if "type" in found:
        yield str(found["type"])
    if "labels" in found:
        yield "passed by label"
    for key, words in (("missing", "may be missing"), ("open", "other labels are passed on"),
                       ("column", "a column of pandas categories")):  # fmt: skip
        if found.get(key):
            yield words


def described(path: Path, report: Report) -> str:
    """The report as lines for people."""
    made_with = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    lines = {
        "estimator": report.estimator,
        "features": ", ".join(report.features),
        "flags": ", ".join(report.flags),
        "classes": "; ".join(report.pairing),
        "scores": report.scores,
        "found out": "; ".join(found_out(report)),
        "no answer": "; ".join(report.notes),
        "made with": made_with,
        "asks for": "\n             ".join(report.names),
        "sha256": report.sha256,
        "signature": report.signature,
        "warning": "; ".join(report.warnings),
        "verdict": "accepted" if report.accepted else "refused",
        "reason": report.reason,
    }
    return "\n".join([f"{path}", *(f"  {key:<10} {text}" for key, text in lines.items() if text)])
