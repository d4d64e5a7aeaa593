"""The steps before a server starts: ``python -m batcomputer.commands.preparation``."""

import hashlib
import json
import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import Error

from batcomputer import __version__
from batcomputer.commands.turn import TURN_FILE, take_turn
from batcomputer.home import home


def prepare() -> None:
    """Examine new models, and bring database and static files up to date.

    One process of a folder at a time. Raises CommandError, django.db.Error or OSError when a step
    fails.
    """
    with (home() / TURN_FILE).open("a+") as turn:
        take_turn(turn.fileno())
        _say("Examining new models")
        _try("verify_model", "--new")
        _say("Preparing the database and the static files")
        call_command("migrate", interactive=False, verbosity=0)
        turn.seek(0)
        wanted = static_sources()
        if turn.read() != wanted or not is_collected():
            turn.truncate(0)
            call_command("collectstatic", interactive=False, verbosity=0)
            turn.write(wanted)
    name = os.environ.get("DJANGO_SUPERUSER_USERNAME")
    if name and not get_user_model().objects.filter(username=name).exists():
        _try("createsuperuser", "--no-input")


def static_sources() -> str:
    """A digest that changes with the files that ``collectstatic`` copies, and with what it does.

    Collecting removes files and the list of them for a moment: a server that starts meanwhile in
    the same folder would miss some for as long as it runs.
    """
    digest = hashlib.sha256(f"{__version__} {django.__version__} {settings.STATIC_URL}".encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def is_collected() -> bool:
    """Whether every collected file is there, under the name that pages use."""
    folder = Path(settings.STATIC_ROOT)
    try:
        names = json.loads((folder / ManifestFilesMixin.manifest_name).read_bytes())["paths"]
    except (OSError, ValueError, KeyError):
        return False
    return all((folder / name).is_file() for name in names.values())


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
