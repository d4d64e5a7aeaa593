"""What a worker starts when something is due: ``manage.py upkeep``, whose log lines are kept."""

import logging

import django
from django.core.management import CommandError, call_command

from batcomputer import lean  # noqa: F401 - before Django is set up

if __name__ == "__main__":
    django.setup()
    try:
        call_command("upkeep", verbosity=0)
    except CommandError as error:
        logging.getLogger("predictor.upkeep").warning("upkeep ended: %s", error)
