"""Compare present inputs and answers with the data that the models were trained on."""

from argparse import ArgumentParser
from typing import Any

from predictor.artifacts.version import ModelVersion
from predictor.log.alerts import alert
from predictor.log.drift import FEWEST, Drift, measure_drift, not_measured
from predictor.management.server_command import ServerCommand
from predictor.serving.current import serving
from predictor.serving.errors import ModelUnavailable


class Command(ServerCommand):
    """``manage.py drift_report``."""

    help = "Show the drift of every active version; --alert sends what exceeds DRIFT_THRESHOLD."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--alert", action="store_true",
            help="send what exceeds the threshold to ALERT_EMAILS and ALERT_WEBHOOK",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        over: list[Drift] = []
        for name in serving().names():
            try:
                over += self._report(serving().active(name))
            except ModelUnavailable as error:
                self.stderr.write(str(error))
        if over and options["alert"]:
            alert(over)

    def _report(self, model: ModelVersion) -> list[Drift]:
        """Print one version's drift; returns what is over the threshold."""
        found = measure_drift(model)
        self.stdout.write(f"{model.name} {model.version}")
        if not found:
            self.stdout.write(f"  fewer than {FEWEST} answers: too few to measure")
        for one in found:
            mark = "DRIFT " if one.drifted else ""
            self.stdout.write(
                f"  {one.subject}: {mark}PSI {one.psi:.3f}, chi-square {one.chi_square:.1f} "
                f"(p {one.p_value:.3g}), {one.answers:,} {one.population} against {one.against}"
            )
        if others := not_measured(model):
            self.stdout.write(f"  not compared: {', '.join(others)}")
        return [one for one in found if one.drifted]
