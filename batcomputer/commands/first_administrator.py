"""Offer to create the first administrator: ``python -m batcomputer.commands.first_administrator``.

On the terminal where the server is started, since a typed password must not be shown.
"""

import os
from contextlib import suppress

import django
from django.contrib.auth import get_user_model
from django.core.management import call_command

_QUESTION = "There is no administrator yet. Name of the first (Enter: later): "


def offer() -> None:
    """Create one if there is none and a person enters a name; without a name, do nothing."""
    if get_user_model().objects.filter(is_superuser=True).exists():
        return
    if name := input(_QUESTION).strip():
        call_command("createsuperuser", username=name, email="")  # asks for the password


def main() -> None:
    """Offer it; after Ctrl+C the server still starts."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "batcomputer.settings")
    django.setup()
    with suppress(EOFError, KeyboardInterrupt, SystemExit):
        offer()


if __name__ == "__main__":
    main()
