"""``batcomputer manage``: the server's own commands, as ``manage.py`` in a clone."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main(arguments: list[str]) -> None:
    """Run the command that ``arguments`` name; a wrong setting ends it with one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "batcomputer.settings")
    try:
        execute_from_command_line(["batcomputer manage", *arguments])
    except ImproperlyConfigured as error:
        sys.exit(f"error: {error}")
