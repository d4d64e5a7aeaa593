"""The process that a worker starts when upkeep is due: ``manage.py upkeep``, with log lines."""

import logging

import django
from django.core.management import CommandError, call_command

from batcomputer import lean  # noqa: F401 - before Django is set up
from batcomputer.gunicorn_log import for_machines
from predictor.monitoring.log_lines import log_what_python_prints
from predictor.scoring.room import room


def main() -> None:
    """Do the upkeep that is due; every printed line becomes a log line."""
    django.setup()
    if for_machines():
        room().lines_are_json = True
        log_what_python_prints(output=True)
    try:
        call_command("upkeep", verbosity=0)
    except CommandError as error:
        logging.getLogger("predictor.upkeep").warning("upkeep ended: %s", error)


if __name__ == "__main__":
    main()
