"""The steps before a server starts: ``python -m batcomputer.commands.preparation``."""

import os
import sys

import django
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import Error


def prepare() -> None:
    """Examine new models, and bring database and static files up to date.

    Raises CommandError, django.db.Error or OSError when a step fails.
    """
    _say("Examining new models")
    _try("verify_model", "--new")
    _say("Preparing the database and the static files")
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    name = os.environ.get("DJANGO_SUPERUSER_USERNAME")
    if name and not get_user_model().objects.filter(username=name).exists():
        _try("createsuperuser", "--no-input")


def _try(*command: str) -> None:
    """Run a command whose failure does not prevent the start; it prints its own error."""
    try:
        call_command(*command)
    except CommandError as error:
        print(error, file=sys.stderr)


def _say(what: str) -> None:
    print(f"\033[1m==> {what}\033[0m", flush=True)


def main() -> None:
    """Prepare, or end with one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "batcomputer.settings")
    try:
        django.setup()
        prepare()
    except (CommandError, ImproperlyConfigured, Error, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
