"""Offer to make the first administrator: ``python -m batcomputer.commands.first_administrator``.

On the terminal that the server is started from, since a password is typed without being shown.
"""

import os
from contextlib import suppress

import django
from django.contrib.auth import get_user_model
from django.core.management import call_command

_QUESTION = "There is no administrator yet. Name of the first (Enter: later): "


def offer() -> None:
    """Make one where there is none and a person gives a name; without, another time."""
    if get_user_model().objects.filter(is_superuser=True).exists():
        return
    if name := input(_QUESTION).strip():
        call_command("createsuperuser", username=name, email="")  # which asks for the rest


def main() -> None:
    """Offer it; a person who breaks off gets the server all the same."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "batcomputer.settings")
    django.setup()
    with suppress(EOFError, KeyboardInterrupt, SystemExit):
        offer()


if __name__ == "__main__":
    main()
