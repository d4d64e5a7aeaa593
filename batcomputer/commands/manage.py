"""``batcomputer manage``: the server's own commands, as ``manage.py`` in a clone."""

import os

from django.core.management import execute_from_command_line


def main(arguments: list[str]) -> None:
    """Run the command that ``arguments`` name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "batcomputer.settings")
    execute_from_command_line(["batcomputer manage", *arguments])
