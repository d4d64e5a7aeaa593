"""Compare the answers of two versions."""

from typing import Any

from django.core.management import CommandParser

from predictor.artifacts.figures import counted
from predictor.management.registry_command import RegistryCommand
from predictor.registry import find_version
from predictor.serving.comparison import (
    REPLAYED,
    Comparison,
    ScoreChanges,
    compare_versions,
    logged_inputs,
)
from predictor.serving.loading import load_beside
from predictor.serving.shared_inputs import MAX_INPUTS


class Command(RegistryCommand):
    """manage.py compare_models model active candidate."""

    help = "Compare two versions: their names, and their scores for the inputs that both take."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("active", help="the version to compare with")
        parser.add_argument("candidate", help="the version to compare, or latest")
        parser.add_argument(
            "--replay",
            type=int,
            default=REPLAYED,
            help=f"how many logged inputs to ask; default: {REPLAYED}",
        )

    def handle(
        self, *args: Any, model: str, active: str, candidate: str, replay: int, **options: Any
    ) -> None:
        here = self.installed
        versions = [
            load_beside(here.folder(model, find_version(here, model, version)), chosen=True)
            for version in (active, candidate)
        ]
        compared = compare_versions(versions[0], versions[1], logged_inputs(model, replay))
        self.stdout.write("\n".join(_lines(compared)))


def _lines(compared: Comparison) -> list[str]:
    lines = [f"{compared.active.name}: {compared.active.version} → {compared.candidate.version}"]
    for renamed in compared.renamed:
        lines += [f"  {renamed.what} added: {', '.join(renamed.added)}"] if renamed.added else []
        lines += (
            [f"  {renamed.what} removed: {', '.join(renamed.removed)}"] if renamed.removed else []
        )
    if not compared.renamed:
        lines.append("  the same features, labels and flags")
    sample = f", a sample of {compared.cells:,}" if compared.cells > MAX_INPUTS else ""
    lines += _described(f"the grid of shared values{sample}", compared.shared)
    if compared.held:
        lines.append(f"  not varied: {', '.join(compared.held)}")
    return lines + _described("the last logged predictions", compared.replay)


def _described(what: str, changes: ScoreChanges) -> list[str]:
    lines = [f"{what}: {counted(changes.inputs, 'input')}"]
    if changes.unasked:
        unasked = counted(changes.unasked, "more gets", "more get")
        lines.append(f"  {unasked} no answer from the active version")
    if changes.refused:
        refused = counted(changes.refused, "more is", "more are")
        lines.append(f"  {refused} refused by the candidate")
    if changes.inputs:
        lines.append(f"  mean change {', largest '.join(changes.sizes)}")
        lines.append(f"  another flag is highest for {changes.other_top:,}")
    if changes.most:
        lines.append("  changing most:")
    lines += [
        f"    {' → '.join(change.scores)}  {change.flag}  ({change.case})"
        for change in changes.most
    ]
    return lines
