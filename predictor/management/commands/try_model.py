"""Try a candidate on a share of callers, or end the trial."""

from typing import Any

from django.core.management import CommandError, CommandParser

from predictor.log.ages import age
from predictor.management.registry_command import RegistryCommand, add_record_arguments
from predictor.serving.canary import end_trial
from predictor.serving.trial import try_version


class Command(RegistryCommand):
    """manage.py try_model model version --share 5 [--until 14d], or model --end."""

    help = (
        "Try a version on a share of callers, chosen by a hash of their reference, else of their "
        "key. Workers follow within 2 seconds. Pages never show it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("version", nargs="?", help="a version, or latest")
        parser.add_argument("--share", type=float, help="of callers, in percent")
        parser.add_argument("--until", default="", help="when it ends automatically, such as 14d")
        parser.add_argument("--end", action="store_true", help="end the running trial")
        add_record_arguments(parser)

    def handle(self, *args: Any, model: str, version: str | None, **options: Any) -> None:
        if options["end"]:
            self._end(model, version, options["by"], options["reason"])
            return
        if version is None or options["share"] is None:
            raise CommandError("name a version and a --share, such as --share 5; or --end")
        try:
            lasts = age(options["until"]) if options["until"] else None
        except ValueError as error:
            raise CommandError(f"--until: {error}") from error
        share = options["share"] / 100
        trial = try_version(model, version, share, options["by"], options["reason"], lasts)
        until = f" until {trial.ends:%Y-%m-%d %H:%M} UTC" if trial.ends else ""
        self.stdout.write(f"{trial}{until}; try_model {model} --end ends it")

    def _end(self, model: str, version: str | None, by: str, reason: str) -> None:
        ended = end_trial(model, by, reason, version)
        if ended is None:
            raise CommandError(f"no {version or 'version'} of {model} is being tried")
        self.stdout.write(f"the trial of {model} {ended.version} has ended")
