"""What a worker starts when something is due: ``manage.py upkeep``, whose log lines are kept."""

import logging
import os

import django
from django.core.management import CommandError, call_command

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "batcomputer.settings")
    django.setup()
    try:
        call_command("upkeep", verbosity=0)
    except CommandError as error:
        logging.getLogger("predictor.upkeep").warning("upkeep ended: %s", error)
